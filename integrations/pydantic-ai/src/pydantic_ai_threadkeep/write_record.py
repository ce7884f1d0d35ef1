"""The framework's `write_record`: a record and its new entries, in one compare-and-set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
)

from pydantic_ai_threadkeep import attach
from pydantic_ai_threadkeep.attach import HEAD, Parent
from pydantic_ai_threadkeep.codec import to_items
from pydantic_ai_threadkeep.conversation_log import State
from pydantic_ai_threadkeep.current_record import check_revision
from pydantic_ai_threadkeep.entry_index import Location
from pydantic_ai_threadkeep.finder import Finder, item_query
from pydantic_ai_threadkeep.write_document import write_document
from threadkeep.errors import Conflict, InputError
from threadkeep.printable import shown

_TRIES: Final = 64


def write_record(
    finder: Finder,
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
    _Write(finder, record, new_entries).run(expected_revision)


class _Write:
    """A record and entries on their way into the store."""

    def __init__(
        self, finder: Finder, record: ConversationRecord, entries: Sequence[ConversationEntry]
    ) -> None:
        self._index = finder.index
        self._finder, self._record, self._entries = finder, record, entries
        self._log = finder.open(record.conversation_id)
        self._items = [item for entry in entries for item in to_items(entry.id, entry.message)]
        self._parent_id = entries[0].parent_id if entries else record.head_id
        self._parent: Parent = HEAD

    def run(self, expected_revision: str | None) -> None:
        """Write, and take back what a conflict leaves of a fork.

        Raises:
            ConversationConflict: the conversation is at another revision.
        """
        try:
            state = self._commit(expected_revision)
        except ConversationConflict:
            attach.unpin(self._log, self._parent)
            raise
        attach.check_base(self._log, self._parent)
        self._leave_scope(state)
        for entry in self._entries:
            self._index.remember(entry.id, Location(self._log.id))

    def _commit(self, expected_revision: str | None) -> State:
        """Write everything in one step; returns the state before it."""
        for attempt in range(_TRIES):
            state = self._log.state(item_query(self._log, self._parent_id))
            check_revision(self._log, state, expected_revision)
            self._parent = attach.attach(self._finder, self._log, state, self._parent_id)
            if attempt == 0:
                self._announce()
            tree = attach.tree_behind(state, self._parent)
            with suppress(Conflict):
                write_document(self._log, state, self._record, tree, self._items)
                return state
        raise ConversationConflict(self._log.id)

    def _announce(self) -> None:
        """Index the entries before they are written, so that no stored one is missing there."""
        self._index.add([entry.id for entry in self._entries], self._log.id)
        self._index.touch_scope(self._record.scope, self._log.id)

    def _leave_scope(self, state_before: State) -> None:
        stored_record = None if state_before.document is None else state_before.document.record
        if stored_record is not None and stored_record.scope != self._record.scope:
            self._index.leave_scope(stored_record.scope, self._log.id)
