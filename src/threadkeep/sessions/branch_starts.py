"""Keep the branches of a session right when items go that they begin behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from threadkeep.core import names
from threadkeep.sessions.branch_paths import BranchTree, BranchView
from threadkeep.sessions.read import items_of_page, items_query
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Item, SessionInfo
from threadkeep.types.branches import MAIN, Branch


def after_removal(
    stream: SessionStream, snapshot: Snapshot, removed: Collection[str]
) -> SessionInfo | None:
    """The session info once items are removed; `None` = it stays.

    A branch that began behind one of them begins behind the item before it.

    Args:
        stream: of the session.
        snapshot: before the removal.
        removed: the record ids of the items.
    """
    if snapshot.info is None:
        return None
    new_branches = [
        dataclasses.replace(branch, at=_id_before(stream, branch.at, removed))
        if branch.at is not None and names.key(branch.at) in removed
        else branch
        for branch in snapshot.info.branches
    ]
    if tuple(new_branches) == snapshot.info.branches:
        return None
    return dataclasses.replace(stream.claim(snapshot), branches=tuple(new_branches))


def after_clear(
    stream: SessionStream, snapshot: Snapshot, remaining: Sequence[Item]
) -> SessionInfo | None:
    """The session info once it has only its newest items; `None` = it stays.

    Branches that have none of them end, but for `main` and the shown one. Without any items, all
    end.
    """
    if snapshot.info is None or not snapshot.info.branches:
        return None
    tree = BranchTree(snapshot.info.branches, seqs_of_starts(stream, snapshot.info))
    names_with_items = {
        name for name in tree.branches if any(map(BranchView(tree, name).has, remaining))
    }
    ids, kept_names = {item.id for item in remaining}, {*names_with_items, MAIN, tree.shown}
    branches = tuple(
        dataclasses.replace(
            branch,
            parent=branch.parent if branch.parent in kept_names or branch.parent is None else MAIN,
            at=branch.at if branch.at in ids else None,
        )
        for branch in tree.branches.values()
        if branch.name in kept_names and remaining
    )
    new_branches = BranchTree(branches, {}).listed()
    if new_branches == snapshot.info.branches:
        return None
    return dataclasses.replace(stream.claim(snapshot), branches=new_branches)


def within(stream: SessionStream, info: SessionInfo, end: int | None) -> tuple[Branch, ...]:
    """The branches of a copy that ends with a seq: those that begin before its end.

    Where the shown branch begins later, its nearest ancestor that does not is shown.
    """
    if end is None or not info.branches:
        return info.branches
    seq_by_id = seqs_of_starts(stream, info)
    tree = BranchTree(info.branches, seq_by_id)
    branches = [
        branch
        for branch in info.branches
        if branch.at is None or seq_by_id.get(branch.at, 0) <= end
    ]
    remaining_names = {branch.name for branch in branches}
    shown_name = next((name for name in tree.chain(tree.shown) if name in remaining_names), MAIN)
    return BranchTree(
        [dataclasses.replace(branch, is_shown=branch.name == shown_name) for branch in branches],
        seq_by_id,
    ).listed()


def seqs_of_starts(stream: SessionStream, info: SessionInfo | None) -> dict[str, int]:
    """The seqs of the items that branches begin behind, by id."""
    start_ids = [branch.at for branch in info.branches if branch.at] if info else []
    if not start_ids:
        return {}
    item_page = stream.read(items_query(stream, ids=[names.key(id) for id in start_ids])).pages[0]
    return {item.id: item.seq for item in items_of_page(item_page)}


def _id_before(stream: SessionStream, id: str, removed_ids: Collection[str]) -> str | None:
    """The id of the newest remaining item before one that is removed."""
    page = stream.read(items_query(stream, ids=[names.key(id)])).pages[0]
    if not page.records:
        return id
    query = items_query(stream, limit=len(removed_ids) + 1, newest=True, before=page.records[0].seq)
    earlier_page = stream.read(query).pages[0]
    items = [item for item in items_of_page(earlier_page) if names.key(item.id) not in removed_ids]
    return items[-1].id if items else None
