"""Opens the conversations of a store for one user, and finds the one that has an entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.current_record import record_of
from pydantic_ai_threadkeep.entries import foreign_place
from pydantic_ai_threadkeep.entry_index import EntryIndex, Location
from threadkeep import Memory
from threadkeep.adapters.session_log import Query


class Position(NamedTuple):
    """An entry in its conversation.

    Attributes:
        log: the conversation.
        state: of it.
        seq: the entry's last one; `None` = it is the head, and its item is in another conversation
            or was forgotten.
    """

    log: ConversationLog
    state: State
    seq: int | None


class Finder:
    """The conversations of a store, for one user.

    Args:
        memory: the store.
        entry_index: finds entries by their ids.
        user: who accesses them; `None` = the operator.
    """

    def __init__(self, memory: Memory, entry_index: EntryIndex, user: str | None) -> None:
        self.index = entry_index
        self._memory, self._user = memory, user

    def open(self, conversation: str) -> ConversationLog:
        """A conversation; no I/O."""
        return ConversationLog(self._memory, conversation, self._user)

    def locate(self, entry: str) -> Position:
        """Where an entry is.

        Raises:
            LookupError: no conversation has it.
        """
        for location in self._candidates(entry):
            log = self.open(location.conversation)
            state = log.state(item_query(log, entry))
            if (seq := _last_seq(state, location)) is not None:
                return Position(log, state, seq)
            record = record_of(log, state)
            if record is not None and record.head_id == entry:
                return Position(log, state, None)
        raise LookupError(entry)

    def _candidates(self, entry: str) -> Iterator[Location]:
        """Where an entry may be: as remembered, and if it is not there any more, as stored."""
        foreign_item = foreign_place(entry)
        if foreign_item is not None:
            yield Location(foreign_item[0])
            return
        for find in (self.index.find, self.index.find_stored):
            if (location := find(entry)) is not None:
                yield location


def item_query(log: ConversationLog, entry: str | None) -> Query:
    """The record of the item that an entry ends with; none without an entry."""
    foreign_item = None if entry is None else foreign_place(entry)
    item_id = entry if foreign_item is None else foreign_item[1]
    return log.log.query(ids=[] if item_id is None else [item_id])


def _last_seq(state: State, location: Location) -> int | None:
    records = state.extra()
    if records:
        return records[0].seq
    return location.seq if state.snapshot.info is not None else None
