"""Chats as trees of messages: which branch is shown, and in which order all are stored.

All branches become items of one session, parents before children. Those of the shown branch are
the chat; the others are hidden, so that nothing is twice in a window or a search.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


class Node(NamedTuple):
    """A place in a tree: its key, and whether it is on the shown branch."""

    key: str
    is_shown: bool


def ordered(parents: Mapping[str, str | None], leaf: str | None) -> Iterator[Node]:
    """All nodes, each after its parent, in the given order otherwise.

    A parent that does not exist, or that descends from its own child, is none.

    Args:
        parents: the parent of each node, in the order in which they were written.
        leaf: the last node of the shown branch; `None` or unknown = the last one written.
    """
    children: dict[str | None, list[str]] = {}
    for key, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(key)
    on_branch = _ancestors(
        parents, leaf if leaf in parents else next(reversed(list(parents)), None)
    )
    emitted: set[str] = set()
    for start in [*children.get(None, ()), *parents]:  # the second: what a circle cut off
        for key in _descendants(start, children):
            if key not in emitted:
                emitted.add(key)
                yield Node(key, key in on_branch)


def _ancestors(parents: Mapping[str, str | None], leaf: str | None) -> set[str]:
    path: set[str] = set()
    while leaf is not None and leaf in parents and leaf not in path:
        path.add(leaf)
        leaf = parents[leaf]
    return path


def _descendants(start: str, children: Mapping[str | None, Sequence[str]]) -> Iterator[str]:
    pending, visited = [start], set[str]()
    while pending:
        key = pending.pop()
        if key not in visited:
            visited.add(key)
            yield key
            pending.extend(reversed(children.get(key, ())))
