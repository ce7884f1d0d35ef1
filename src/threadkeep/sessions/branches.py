"""Implements `Session.branch`, `branches` and the window of a branch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from threadkeep.core import item_codec, names
from threadkeep.core.redaction import redacted
from threadkeep.errors import Conflict, InputError, NotFound
from threadkeep.printable import shown
from threadkeep.sessions.branch_paths import BranchTree, BranchView, label
from threadkeep.sessions.branch_starts import seqs_of_starts
from threadkeep.sessions.outdated import drop_derived, notify_edited
from threadkeep.sessions.read import items_query, range_items
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import MAX_SEQ, Item, Record, SessionInfo
from threadkeep.types.batching import batches
from threadkeep.types.branches import MAIN, Branch

_MAX_CHANGES: Final = 500
"""Items that one commit changes: fewer than a store takes, so that they stay below 4 MB as well."""
_MAX_BRANCHES: Final = 500


def branches(stream: SessionStream) -> list[Branch]:
    """As `Session.branches`."""
    session_info = stream.read().info
    if session_info is None:
        return []
    return list(session_info.branches) or [Branch(MAIN, is_shown=True)]


def branch(stream: SessionStream, name: str, at: str | int | None) -> Branch:
    """As `Session.branch`."""
    name = names.check(name, "branch")
    if stream.engine.discards:
        return Branch(name, is_shown=True)
    branch_switch = _Switch(stream, name, at)
    while not stream.retry(branch_switch.step):
        pass
    if branch_switch.refusal is not None:
        raise branch_switch.refusal
    notify_edited(stream, branch_switch.changed)
    return branch_switch.tree.branches[branch_switch.name]


def view(stream: SessionStream, name: str) -> BranchView:
    """The view of a branch, for reading it while another is shown.

    Raises:
        InputError: the name is none.
        NotFound: the session has no such branch.
    """
    checked_name = names.check(name, "branch")
    tree = _tree(stream, stream.read().info)
    stored_name = _stored_name(stream, tree, checked_name)
    if stored_name not in tree.branches and not stream.engine.discards:
        raise _unknown(stream, stored_name, tree)
    return BranchView(tree, stored_name)


def rename(stream: SessionStream, new_names: Mapping[str, str]) -> None:
    """Give branches other names; the items that are hidden for them must name them so already."""

    def step() -> None:
        snapshot = stream.read()
        session_info = stream.claim(snapshot)
        renamed_branches = tuple(
            dataclasses.replace(
                branch,
                name=new_names.get(branch.name, branch.name),
                parent=new_names.get(branch.parent or "", branch.parent),
            )
            for branch in session_info.branches
        )
        if snapshot.info is not None and renamed_branches != session_info.branches:
            session_info = dataclasses.replace(session_info, branches=renamed_branches)
            stream.compare_and_set(snapshot, info=session_info)

    stream.retry(step)


class _Switch:
    """Shows a branch, in steps that each leave what the next one goes on from.

    First what is to be hidden is hidden, then the session says which branch is shown, together
    with the first items of that.
    """

    def __init__(self, stream: SessionStream, name: str, at: str | int | None) -> None:
        self._stream, self.name, self._at = stream, name, at
        self._is_begun = False
        self.changed: list[str] = []
        self.refusal: Conflict | None = None
        self.tree = BranchTree((), {})

    def step(self) -> bool:
        """Commit up to 500 changes; returns whether no more are needed."""
        snapshot = self._stream.read()
        if snapshot.info is None:
            raise NotFound(f"session {shown(self._stream.id)} does not exist: it has no branches")
        tree = _tree(self._stream, snapshot.info)
        self.name = _stored_name(self._stream, tree, self.name)
        if self.name not in tree.branches:
            tree = self._with_new(tree, snapshot)
        elif self._at is not None and not self._is_begun:
            self.refusal = Conflict(  # not raised here, where a conflict means to try again
                f"session {shown(self._stream.id)} has a branch {shown(self.name)} already",
                current=snapshot.version,
            )
            return True
        return self._commit(tree, snapshot.info)

    def _with_new(self, tree: BranchTree, snapshot: Snapshot) -> BranchTree:
        """The tree with the new branch, which begins behind the item `at`."""
        if len(tree.branches) >= _MAX_BRANCHES:
            raise InputError(
                f"session {shown(self._stream.id)} has {_MAX_BRANCHES} branches already: begin "
                "another session, or show one of them"
            )
        start_item = self._item_at()
        new_branch = Branch(
            self.name,
            tree.owner(start_item) if start_item else MAIN,
            start_item.id if start_item else None,
        )
        seq_by_id = {
            **seqs_of_starts(self._stream, snapshot.info),
            **({start_item.id: start_item.seq} if start_item else {}),
        }
        return BranchTree([*tree.branches.values(), new_branch], seq_by_id)

    def _item_at(self) -> Item | None:
        """The item that the branch begins behind; `None` = before all."""
        id_or_seq = self._at
        if id_or_seq is None or type(id_or_seq) is int:
            end_seq = None if id_or_seq is None else max(-1, min(id_or_seq, MAX_SEQ - 1)) + 1
            query = items_query(self._stream, limit=1, newest=True, before=end_seq)
            return next(iter(range_items(self._stream, query)), None)
        if not isinstance(id_or_seq, str):
            raise InputError(f"at must be an item's id or a seq, {names.got(id_or_seq)}")
        query = items_query(self._stream, ids=[names.key(id_or_seq)])
        items = range_items(self._stream, query, hidden=True)
        if not items:
            raise NotFound(f"at: session {shown(self._stream.id)} has no item {shown(id_or_seq)}")
        return items[0]

    def _commit(self, tree: BranchTree, old_info: SessionInfo) -> bool:
        stream, now = self._stream, self._stream.engine.now()
        snapshot = stream.read(items_query(stream, after=tree.fork_seq(self.name)))
        if snapshot.info is None or snapshot.info.branches != old_info.branches:
            raise Conflict("the branches were changed meanwhile", current=snapshot.version)
        item_changes = _Changes(tree, self.name, snapshot.pages[0].records, now)
        records_to_put, is_last_hide = item_changes.first()
        self.tree = BranchTree(tree.shown_as(self.name), {})
        info = dataclasses.replace(stream.claim(snapshot), branches=self.tree.listed())
        stream.compare_and_set(snapshot, put=records_to_put, info=info if is_last_hide else None)
        if records_to_put:
            drop_derived(
                stream, snapshot, min(item_changes.seqs[record.id] for record in records_to_put)
            )
        self.changed += [item_changes.ids[record.id] for record in records_to_put]
        self._is_begun = self._is_begun or is_last_hide
        return len(records_to_put) == len(item_changes.hide) + len(item_changes.show)


class _Changes:
    """The records to hide, and those to show again, when a branch becomes the shown one."""

    def __init__(self, tree: BranchTree, name: str, records: Sequence[Record], now: float) -> None:
        self.hide: list[Record] = []
        self.show: list[Record] = []
        self.seqs = {record.id: record.seq for record in records}
        self.ids: dict[str, str] = {}
        branch_view = BranchView(tree, name)
        for record in records:
            item = item_codec.read_item(record)
            self.ids[record.id] = item.id
            is_in_branch = branch_view.has(item)
            if label(item) is None and not is_in_branch:
                self.hide += _marked(record, tree.owner(item), now)
            elif label(item) is not None and is_in_branch:
                self.show += _marked(record, None, now)

    def first(self) -> tuple[list[Record], bool]:
        """What one commit changes, and whether nothing is left to hide then."""
        records_to_put = [*self.hide, *self.show][:_MAX_CHANGES]
        is_too_large = len(list(batches(records_to_put))) > 1
        if self.hide and (is_too_large or len(self.hide) > _MAX_CHANGES):
            return self.hide[:_MAX_CHANGES], False
        return records_to_put, True


def _marked(record: Record, branch: str | None, now: float) -> list[Record]:
    """The record with the mark of a branch that is not shown, or without; none if unreadable.

    What the application hid on the branch stays hidden there.
    """
    marked_record = item_codec.with_branch(record, branch, now)
    return [] if marked_record is None else [marked_record]


def _tree(stream: SessionStream, info: SessionInfo | None) -> BranchTree:
    return BranchTree(info.branches if info else (), seqs_of_starts(stream, info))


def _stored_name(stream: SessionStream, tree: BranchTree, name: str) -> str:
    """The name of a branch as it is, or would be, stored: redacted, unless there is one of it.

    Raises:
        InputError: the redactor leaves nothing of it.
    """
    if name in tree.branches:
        return name
    stored = redacted(stream.engine, name, "session")
    if not stored:
        raise InputError("the redactor leaves nothing of the branch's name: give it another one")
    return names.check(stored, "branch")


def _unknown(stream: SessionStream, name: str, tree: BranchTree) -> NotFound:
    names_text = ", ".join(shown(branch) for branch in list(tree.branches)[:5])
    return NotFound(f"session {shown(stream.id)} has no branch {shown(name)}; it has {names_text}")
