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
    child_ids: dict[str | None, list[str]] = {}
    for node_id, parent_id in parents.items():
        child_ids.setdefault(parent_id if parent_id in parents else None, []).append(node_id)
    branch_ids = _ancestors(
        parents, leaf if leaf in parents else next(reversed(list(parents)), None)
    )
    emitted_ids: set[str] = set()
    for root_id in [*child_ids.get(None, ()), *parents]:  # the second: what a circle cut off
        for node_id in _descendants(root_id, child_ids):
            if node_id not in emitted_ids:
                emitted_ids.add(node_id)
                yield Node(node_id, node_id in branch_ids)


def _ancestors(parents: Mapping[str, str | None], leaf: str | None) -> set[str]:
    ancestor_ids: set[str] = set()
    while leaf is not None and leaf in parents and leaf not in ancestor_ids:
        ancestor_ids.add(leaf)
        leaf = parents[leaf]
    return ancestor_ids


def _descendants(start: str, children: Mapping[str | None, Sequence[str]]) -> Iterator[str]:
    pending_ids, visited_ids = [start], set[str]()
    while pending_ids:
        node_id = pending_ids.pop()
        if node_id not in visited_ids:
            visited_ids.add(node_id)
            yield node_id
            pending_ids.extend(reversed(children.get(node_id, ())))
