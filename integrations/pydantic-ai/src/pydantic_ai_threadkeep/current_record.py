"""The framework's record of a conversation, with what other frameworks added or took back."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic_ai.conversation_store import ConversationConflict, ConversationRecord

from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.entry_history import history
from threadkeep.adapters.session_log import Record


def record_of(log: ConversationLog, state: State) -> ConversationRecord | None:
    """The framework's record; `None` if there is no such conversation.

    What another framework added, or took back, changes the head and the revision.
    """
    stored_record = None if state.document is None else state.document.record
    if stored_record is not None and state.is_ours:
        return stored_record
    newest_entries = history(log, state, limit=1)
    if stored_record is None and not newest_entries:
        return None
    head_id = newest_entries[-1].id if newest_entries else None
    newest_mark = f"+{state.newest_seq}" if state.newest is None else f"+{state.newest.id}"
    revision, write_time = f"{newest_mark}@{state.newest_seq}", _date(state.newest)
    if stored_record is None:
        return ConversationRecord(
            conversation_id=log.id, head_id=head_id, revision=revision, updated_at=write_time
        )
    stored_record.head_id, stored_record.revision = head_id, f"{stored_record.revision}{revision}"
    stored_record.updated_at = max(stored_record.updated_at, write_time)
    return stored_record


def check_revision(log: ConversationLog, state: State, expected: str | None) -> None:
    """Check that a conversation is at a revision; `None` = it does not exist.

    Raises:
        ConversationConflict: it is at another one.
    """
    record = record_of(log, state)
    if (None if record is None else record.revision) != expected:
        raise ConversationConflict(log.id)


def _date(record: Record | None) -> datetime:
    return datetime.fromtimestamp(0.0 if record is None else record.at, UTC)
