"""One conversation in a session: its state, and its history from the newest entry back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from pydantic_ai.conversation_store import ConversationRecord

from pydantic_ai_threadkeep import document
from pydantic_ai_threadkeep.document import CONVERSATION, Document
from pydantic_ai_threadkeep.entries import Entry, group
from pydantic_ai_threadkeep.tree import MAX_SEQ, NEW, Base, Range, Tree, contains
from threadkeep import Memory
from threadkeep.adapters.session_log import (
    Query,
    Record,
    SessionLog,
    Snapshot,
    fields_of,
    key,
    life_of,
)

_EXTRA: Final = 8


class State(NamedTuple):
    """A conversation at one version of its session.

    Attributes:
        snapshot: of the session; its first pages are the document and the newest item.
        document: `None` = Pydantic AI never wrote to the session.
        newest: the record of the session's newest item.
    """

    snapshot: Snapshot
    document: Document | None
    newest: Record | None

    @property
    def tree(self) -> Tree:
        """The branches."""
        return NEW if self.document is None else self.document.tree

    @property
    def newest_seq(self) -> int:
        """The seq of the newest item; -1 without one."""
        return -1 if self.newest is None else self.newest.seq

    @property
    def is_ours(self) -> bool:
        """Whether nobody but Pydantic AI added or removed the newest item."""
        newest = None if self.newest is None else self.newest.id
        return self.document is not None and self.document.last == newest

    def extra(self, index: int = 0) -> list[Record]:
        """The records of a further query."""
        return self.snapshot.pages[2 + index].records


class ConversationLog:
    """A conversation in the session of its id.

    Args:
        memory: the store.
        id: the id of the conversation.
        user: who accesses it; `None` = the operator.
    """

    def __init__(self, memory: Memory, id: str, user: str | None) -> None:
        self.id = id
        self.chat = memory.session(id, user=user)
        self.log = SessionLog(self.chat)
        self._open: Callable[[str], ConversationLog] = lambda other: ConversationLog(
            memory, other, user
        )

    def state(self, *queries: Query) -> State:
        """Read the state, and further records of the same version.

        Raises:
            NotOwner: the session belongs to another user.
            CorruptRecord: the document cannot be read.
        """
        snapshot = self.log.read(
            self.log.query(CONVERSATION, ids=[CONVERSATION]), self.log.query(newest=1), *queries
        )
        documents, newest = (page.records for page in snapshot.pages[:2])
        found = document.read(fields_of(documents[0]), self.id) if documents else None
        if found is not None:
            found = self._moved(found, life_of(snapshot))
        return State(snapshot, found, newest[0] if newest else None)

    def seq_of(self, state: State, base: Base) -> int:
        """The seq at which a fork begins here, also where the store is a copy."""
        if base.item is None or base.life == life_of(state.snapshot):
            return base.seq
        found = self.log.read(self.log.query(ids=[base.item])).pages[0].records
        return found[0].seq if found else base.seq

    def _moved(self, found: Document, life: int) -> Document:
        """The document with the seqs that the items have here."""
        if found.life in (0, life) or not found.items:
            return found
        records = self.log.read(self.log.query(ids=found.items.values())).pages[0].records
        here = {record.id: record.seq for record in records}
        new_seqs = {old: here[key(id)] for old, id in found.items.items() if key(id) in here}
        items = {new_seqs[old]: id for old, id in found.items.items() if old in new_seqs}
        tree = found.tree.moved(new_seqs)
        return dataclasses.replace(found, tree=tree, items=items, life=life)

    def record(self, state: State) -> ConversationRecord | None:
        """The framework's record; `None` if there is no such conversation.

        What another framework added, or took back, changes the head and the revision.
        """
        stored = None if state.document is None else state.document.record
        if stored is not None and state.is_ours:
            return stored
        newest = self.history(state, limit=1)
        if stored is None and not newest:
            return None
        head = newest[-1].id if newest else None
        mark = f"+{state.newest_seq}" if state.newest is None else f"+{state.newest.id}"
        at = _date(state.newest)
        if stored is None:
            revision = f"{mark}@{state.newest_seq}"
            return ConversationRecord(
                conversation_id=self.id, head_id=head, revision=revision, updated_at=at
            )
        stored.head_id, stored.revision = head, f"{stored.revision}{mark}@{state.newest_seq}"
        stored.updated_at = max(stored.updated_at, at)
        return stored

    def history(
        self, state: State, upto: int | None = None, *, limit: int | None = None
    ) -> list[Entry]:
        """The entries of a history, oldest first.

        Args:
            state: of the conversation.
            upto: the seq at which the history ends; `None` = its current end.
            limit: read at least so many of the last entries, if there are as many.
        """
        entries: list[Entry] = []
        for run in self._runs(state, upto, limit):
            entries = [*run, *entries]
            if limit is not None and len(entries) > limit:
                break
        return entries

    def seqs(self, ranges: Iterable[Range]) -> list[Record]:
        """The records of the items in ranges."""
        queries = [self.log.query(after=one.after, upto=one.upto) for one in ranges]
        if not queries:
            return []
        return [record for page in self.log.read(*queries).pages for record in page.records]

    def _runs(self, state: State, upto: int | None, limit: int | None) -> Iterator[list[Entry]]:
        """The entries of each range, and of the conversations before it, newest range first."""
        current = state.tree.ranges()
        for step in state.tree.path(MAX_SEQ if upto is None else upto):
            if isinstance(step, Base):
                yield from self._runs_before(step, limit)
                return
            one = Range(step.after, min(step.upto, state.newest_seq))
            if one.after < one.upto:
                yield self._entries(one, limit, current)

    def _runs_before(self, base: Base, limit: int | None) -> Iterator[list[Entry]]:
        other = self._open(base.conversation)
        state = other.state()
        if state.document is not None and state.document.token == base.token:
            yield from other._runs(state, other.seq_of(state, base), limit)

    def _entries(self, one: Range, limit: int | None, current: list[Range]) -> list[Entry]:
        """The newest entries of a range: more than `limit` whole ones, or all of them.

        What is hidden in the current history was hidden by the application; elsewhere, because a
        branch was left.
        """
        size = None if limit is None else 2 * limit + _EXTRA
        while True:
            query = self.log.query(after=one.after, upto=one.upto, newest=size)
            records = self.log.read(query).pages[0].records
            items = self.log.items(records)
            shown = (i for i in items if not i.hidden or not contains(current, i.seq))
            entries = group(shown, self.id)
            if size is None or len(records) < size or len(entries) > _more(limit):
                return entries
            size *= 2


def _more(limit: int | None) -> int:
    """The number of entries of which the oldest may be cut, and the one before it is a parent."""
    return 0 if limit is None else limit + 1


def _date(record: Record | None) -> datetime:
    return datetime.fromtimestamp(0.0 if record is None else record.at, UTC)
