"""One conversation in a session: its state at one version, and the records of its items."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

from pydantic_ai_threadkeep import document
from pydantic_ai_threadkeep.document import CONVERSATION, Document
from pydantic_ai_threadkeep.tree import NEW, Base, Range, Tree
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
        newest_id = None if self.newest is None else self.newest.id
        return self.document is not None and self.document.last == newest_id

    def extra(self, query_index: int = 0) -> list[Record]:
        """The records of a further query."""
        return self.snapshot.pages[2 + query_index].records


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
        self._memory, self._user = memory, user

    def open(self, other: str) -> ConversationLog:
        """Another conversation of the store, for the same user; no I/O."""
        return ConversationLog(self._memory, other, self._user)

    def state(self, *queries: Query) -> State:
        """Read the state, and further records of the same version.

        Raises:
            NotOwner: the session belongs to another user.
            CorruptRecord: the document cannot be read.
        """
        snapshot = self.log.read(
            self.log.query(CONVERSATION, ids=[CONVERSATION]), self.log.query(newest=1), *queries
        )
        documents, newest_records = (page.records for page in snapshot.pages[:2])
        stored_document = document.read(fields_of(documents[0]), self.id) if documents else None
        if stored_document is not None:
            stored_document = self._moved(stored_document, life_of(snapshot))
        return State(snapshot, stored_document, newest_records[0] if newest_records else None)

    def seq_of(self, state: State, base: Base) -> int:
        """The seq at which a fork begins here, also where the store is a copy."""
        if base.item is None or base.life == life_of(state.snapshot):
            return base.seq
        records = self.log.read(self.log.query(ids=[base.item])).pages[0].records
        return records[0].seq if records else base.seq

    def seqs(self, ranges: Iterable[Range]) -> list[Record]:
        """The records of the items in ranges."""
        queries = [self.log.query(after=span.after, upto=span.upto) for span in ranges]
        if not queries:
            return []
        return [record for page in self.log.read(*queries).pages for record in page.records]

    def _moved(self, stored: Document, life: int) -> Document:
        """The document with the seqs that the items have here."""
        if stored.life in (0, life) or not stored.items:
            return stored
        records = self.log.read(self.log.query(ids=stored.items.values())).pages[0].records
        seq_by_id = {record.id: record.seq for record in records}
        new_by_old = {
            seq: seq_by_id[key(id)] for seq, id in stored.items.items() if key(id) in seq_by_id
        }
        id_by_seq = {new_by_old[seq]: id for seq, id in stored.items.items() if seq in new_by_old}
        tree = stored.tree.moved(new_by_old)
        return dataclasses.replace(stored, tree=tree, items=id_by_seq, life=life)
