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
    ids_by_parent: dict[str | None, list[str]] = {}
    for node_id, parent_id in parents.items():
        ids_by_parent.setdefault(parent_id if parent_id in parents else None, []).append(node_id)
    branch_ids = _ancestors(
        parents, leaf if leaf in parents else next(reversed(list(parents)), None)
    )
    emitted_ids: set[str] = set()
    for root_id in [*ids_by_parent.get(None, ()), *parents]:  # the second: what a circle cut off
        for node_id in _descendants(root_id, ids_by_parent):
            if node_id not in emitted_ids:
                emitted_ids.add(node_id)
                yield Node(node_id, node_id in branch_ids)


def _ancestors(parent_by_id: Mapping[str, str | None], node_id: str | None) -> set[str]:
    ancestor_ids: set[str] = set()
    while node_id is not None and node_id in parent_by_id and node_id not in ancestor_ids:
        ancestor_ids.add(node_id)
        node_id = parent_by_id[node_id]
    return ancestor_ids


def _descendants(start_id: str, ids_by_parent: Mapping[str | None, Sequence[str]]) -> Iterator[str]:
    pending_ids, visited_ids = [start_id], set[str]()
    while pending_ids:
        node_id = pending_ids.pop()
        if node_id not in visited_ids:
            visited_ids.add(node_id)
            yield node_id
            pending_ids.extend(reversed(ids_by_parent.get(node_id, ())))
