"""The storage primitives of the framework's store, on sessions; all of them block."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Sequence
from typing import Final, Literal
from uuid import uuid4

from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
)

from pydantic_ai_threadkeep import forks
from pydantic_ai_threadkeep.codec import to_items
from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.document import CONVERSATION, Document
from pydantic_ai_threadkeep.entries import chain, foreign_place
from pydantic_ai_threadkeep.entry_index import EntryIndex, Location
from pydantic_ai_threadkeep.load_limit import limit_of
from pydantic_ai_threadkeep.tree import Base, Cut, Range, Tree, minus
from threadkeep import Item, Memory
from threadkeep.adapters import windows
from threadkeep.adapters.session_log import Change, key, life_of
from threadkeep.errors import Conflict, InputError, NotOwner
from threadkeep.printable import shown

_TRIES: Final = 64


class _Keep(enum.Enum):
    """The type of `KEEP`."""

    KEEP = "keep"


KEEP: Final = _Keep.KEEP
"""As a place: behind the head."""

Place = Cut | Literal[_Keep.KEEP]


class Conversations:
    """The conversations of a store, for one user.

    Args:
        memory: the store.
        index: finds entries by their ids.
        user: who accesses them; `None` = the operator.
    """

    def __init__(self, memory: Memory, index: EntryIndex, user: str | None) -> None:
        self._memory, self._index, self._user = memory, index, user

    def open(self, conversation: str) -> ConversationLog:
        """A conversation; no I/O."""
        return ConversationLog(self._memory, conversation, self._user)

    def read_record(self, conversation: str) -> ConversationRecord | None:
        """As the framework's `read_record`."""
        log = self.open(conversation)
        record = log.record(log.state())
        if record is not None and record.head_id is not None:
            self._index.remember(record.head_id, Location(conversation))
        return record

    def limit_of(
        self, conversation: str, policies: windows.Policies, over: windows.OverWarning
    ) -> int:
        """How many of the last messages a window holds."""
        log = self.open(conversation)
        limit, window = limit_of(log, log.state(), policies)
        over.check(window, conversation)
        return limit

    def read_records(self, scope: str | None, limit: int | None) -> list[ConversationRecord]:
        """As the framework's `read_records`."""
        records: list[ConversationRecord] = []
        seen: set[str] = set()
        for conversation in self._index.conversations(scope):
            if conversation in seen:
                continue
            seen.add(conversation)
            try:
                record = self.read_record(conversation)
            except NotOwner:
                continue
            if record is not None and scope in (None, record.scope):
                records.append(record)
            if scope is not None and limit is not None and len(records) >= limit:
                break
        records.sort(key=lambda record: record.updated_at, reverse=True)
        return records[:limit]

    def read_history(self, head: str | None, limit: int | None) -> list[ConversationEntry]:
        """As the framework's `read_history`.

        Raises:
            LookupError: no conversation has the entry.
        """
        if head is None or limit == 0:
            return []
        log, state, upto = self._locate(head)
        entries = log.history(state, upto, limit=limit)
        for entry in entries:
            self._index.remember(entry.id, Location(entry.conversation, entry.seq))
        return chain(entries, limit)

    def read_entry(self, id: str) -> ConversationEntry:
        """As the framework's `read_entry`.

        Raises:
            LookupError: no conversation has the entry.
        """
        entries = self.read_history(id, 1)
        if not entries or entries[-1].id != id:
            raise LookupError(id)
        return entries[-1]

    def write_record(
        self,
        record: ConversationRecord,
        new_entries: Sequence[ConversationEntry],
        expected_revision: str | None,
    ) -> None:
        """As the framework's `write_record`.

        Raises:
            ConversationConflict: as there.
            InputError: the record does not end with its last new entry, or cannot be stored.
        """
        if new_entries and record.head_id != new_entries[-1].id:
            raise InputError(
                f"head_id of conversation {shown(record.conversation_id)} must be the last of its "
                "new entries"
            )
        log = self.open(record.conversation_id)
        items = [item for entry in new_entries for item in to_items(entry.id, entry.message)]
        parent = new_entries[0].parent_id if new_entries else record.head_id
        place: Place = KEEP
        try:
            for attempt in range(_TRIES):
                state = log.state(log.log.query(ids=_item_ids(parent)))
                self._check_revision(log, state, expected_revision)
                place = self._attach(log, state, parent)
                if attempt == 0:
                    self._index.add([entry.id for entry in new_entries], log.id)
                    self._index.touch_scope(record.scope, log.id)
                try:
                    self._commit(log, state, record, items, place)
                    break
                except Conflict:
                    continue
            else:
                raise ConversationConflict(record.conversation_id)
        except ConversationConflict:
            self._unpin(log, place)
            raise
        self._check_base(log, place)
        self._leave_scope(state, record)
        for entry in new_entries:
            self._index.remember(entry.id, Location(log.id))

    def delete_record(self, conversation: str, expected_revision: str) -> None:
        """As the framework's `delete_record`: with the entries that no fork needs.

        Raises:
            ConversationConflict: as there.
        """
        log = self.open(conversation)
        for _ in range(_TRIES):
            state = log.state(forks.query(log))
            self._check_revision(log, state, expected_revision)
            try:
                self._delete(log, state)
            except Conflict:
                continue
            return
        raise ConversationConflict(conversation)

    def _locate(self, entry: str) -> tuple[ConversationLog, State, int | None]:
        """The conversation of an entry, and the entry's last seq there.

        The seq is `None` for a head whose item is in another conversation, or was forgotten.

        Raises:
            LookupError: no conversation has the entry.
        """
        foreign = foreign_place(entry)
        finders: list[Callable[[str], Location | None]] = [
            self._index.find,
            self._index.find_stored,
        ]
        if foreign is not None:
            place = Location(foreign[0])
            finders = [lambda _: place]
        for find in finders:
            location = find(entry)
            if location is None:
                continue
            log = self.open(location.conversation)
            state = log.state(log.log.query(ids=_item_ids(entry)))
            if (seq := _last_seq(state, location)) is not None:
                return log, state, seq
            record = log.record(state)
            if record is not None and record.head_id == entry:
                return log, state, None
        raise LookupError(entry)

    def _check_revision(self, log: ConversationLog, state: State, expected: str | None) -> None:
        record = log.record(state)
        if (None if record is None else record.revision) != expected:
            raise ConversationConflict(log.id)

    def _attach(self, log: ConversationLog, state: State, parent: str | None) -> Place:
        """Where new entries follow: behind the head, or as a new branch behind another entry.

        Raises:
            ConversationConflict: that entry is gone.
        """
        record = log.record(state)
        if parent == (None if record is None else record.head_id):
            return KEEP
        if parent is None:
            return None
        if found := state.extra():
            return found[0].seq
        try:
            source, found_in, seq = self._locate(parent)
        except LookupError:
            raise ConversationConflict(log.id) from None
        if seq is None:
            last = source.history(found_in, limit=1)[-1]
            source, seq = self.open(last.conversation), last.seq
        if source.id == log.id:
            return seq
        base = forks.pin(source, log.id, seq, _item_at(source, seq))
        if base is None:
            raise ConversationConflict(log.id)
        return base

    def _commit(
        self,
        log: ConversationLog,
        state: State,
        record: ConversationRecord,
        items: Sequence[Item],
        place: Place,
    ) -> None:
        tree = state.tree
        if not isinstance(place, _Keep):
            tree = tree.switched(state.newest_seq, place)
        token = str(uuid4()) if state.document is None else state.document.token
        last = None if state.newest is None else state.newest.id
        last = key(items[-1].id) if items else last
        self._change(log, state, Document(token, record, last, tree), items)

    def _change(
        self, log: ConversationLog, state: State, new: Document, items: Sequence[Item] = ()
    ) -> None:
        """Write a document and items; what is no longer in the current history is hidden."""
        before, after = _clipped(state, state.tree), _clipped(state, new.tree)
        known = {} if state.document is None else state.document.items
        items_at = {seq: known.get(seq) or _item_at(log, seq) for seq in new.tree.seqs()}
        named = {seq: id for seq, id in items_at.items() if id is not None}
        new = dataclasses.replace(new, items=named, life=life_of(state.snapshot))
        record = log.log.record(CONVERSATION, CONVERSATION, new.to_fields())
        hide, show = minus(before, after), minus(after, before)
        change = Change(items, [record], hide=log.seqs(hide), show=log.seqs(show))
        log.log.commit(state.snapshot, change)

    def _check_base(self, log: ConversationLog, place: Place) -> None:
        """Take back a fork whose base was deleted while it was made.

        Raises:
            ConversationConflict: it was.
        """
        if isinstance(place, Base) and not forks.is_pinned(self.open(place.conversation), log.id):
            log.chat.delete()
            raise ConversationConflict(log.id)

    def _unpin(self, log: ConversationLog, place: Place) -> None:
        if not isinstance(place, Base):
            return
        document = log.state().document
        bases = [] if document is None else document.tree.bases()
        if place.conversation not in [base.conversation for base in bases]:
            forks.unpin(self.open(place.conversation), log.id)

    def _leave_scope(self, state: State, record: ConversationRecord) -> None:
        before = None if state.document is None else state.document.record
        if before is not None and before.scope != record.scope:
            self._index.leave_scope(before.scope, record.conversation_id)

    def _delete(self, log: ConversationLog, state: State) -> None:
        """Delete a conversation, or what no fork needs of it.

        Raises:
            Conflict: the session changed meanwhile.
        """
        needed = forks.needed(log, state, state.extra(), self.open)
        record = None if state.document is None else state.document.record
        everything = [Range(-1, state.newest_seq)]
        if needed:
            reach = [one for seq in needed for one in state.tree.ranges(seq)]
            gone = log.seqs(minus(everything, reach))
            self._bury(log, state)
            log.chat.remove(*(item.id for item in log.log.items(gone)))
        else:
            gone = log.seqs(everything)
            log.log.delete(state.snapshot)
        self._index.remove([item.id for item in gone], log.id)
        if record is not None:
            self._index.leave_scope(record.scope, log.id)
        if not needed:
            self._release(log, state.tree)

    def _bury(self, log: ConversationLog, state: State) -> None:
        """Leave the items for forks alone, in a branch that is no longer current."""
        document = state.document
        token = str(uuid4()) if document is None else document.token
        last = None if state.newest is None else state.newest.id
        tree = state.tree.switched(state.newest_seq, None)
        self._change(log, state, Document(token, None, last, tree))

    def _release(self, log: ConversationLog, tree: Tree) -> None:
        """Take a deleted fork off its sources, and delete those that only it needed."""
        for conversation in dict.fromkeys(base.conversation for base in tree.bases()):
            source = self.open(conversation)
            forks.unpin(source, log.id)
            for _ in range(_TRIES):
                state = source.state(forks.query(source))
                buried = state.document is not None and state.document.record is None
                if not buried or source.record(state) is not None:
                    break
                if forks.needed(source, state, state.extra(), self.open):
                    break
                try:
                    self._delete(source, state)
                    break
                except Conflict:
                    continue


def _item_at(log: ConversationLog, seq: int) -> str | None:
    """The record id of the item with a seq."""
    records = log.seqs([Range(seq - 1, seq)])
    return records[0].id if records else None


def _item_ids(entry: str | None) -> list[str]:
    """The ids of the item that an entry ends with."""
    if entry is None:
        return []
    foreign = foreign_place(entry)
    return [entry if foreign is None else foreign[1]]


def _last_seq(state: State, location: Location) -> int | None:
    found = state.extra()
    if found:
        return found[0].seq
    return location.seq if state.snapshot.info is not None else None


def _clipped(state: State, tree: Tree) -> list[Range]:
    """The ranges of the current history that hold items by now."""
    ranges = (Range(one.after, min(one.upto, state.newest_seq)) for one in tree.ranges())
    return [one for one in ranges if one.after < one.upto]
