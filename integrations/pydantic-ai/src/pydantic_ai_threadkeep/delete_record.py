"""The framework's `delete_record`: a conversation goes, but for the entries that forks need."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pydantic_ai.conversation_store import ConversationConflict

from pydantic_ai_threadkeep import forks
from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.current_record import check_revision, record_of
from pydantic_ai_threadkeep.entry_index import EntryIndex
from pydantic_ai_threadkeep.finder import Finder
from pydantic_ai_threadkeep.tree import Range, Tree, minus
from pydantic_ai_threadkeep.write_document import write_document
from threadkeep.adapters.session_log import Record
from threadkeep.errors import Conflict

_TRIES: Final = 64


def delete_record(finder: Finder, conversation: str, expected_revision: str) -> None:
    """As the framework's `delete_record`: with the entries that no fork needs.

    Raises:
        ConversationConflict: as there.
    """
    log = finder.open(conversation)
    for _ in range(_TRIES):
        state = log.state(forks.query(log))
        check_revision(log, state, expected_revision)
        with suppress(Conflict):
            _delete(finder.index, log, state, forks.needed(log, state, state.extra()))
            return
    raise ConversationConflict(conversation)


def _delete(
    entry_index: EntryIndex, log: ConversationLog, state: State, needed_seqs: Sequence[int]
) -> None:
    """Delete a conversation, or what no fork needs of it.

    Args:
        entry_index: of entries.
        log: the conversation.
        state: of it.
        needed_seqs: the seqs up to which forks need it.

    Raises:
        Conflict: the session changed meanwhile.
    """
    deleted_records = _bury(log, state, needed_seqs) if needed_seqs else _delete_session(log, state)
    entry_index.remove([record.id for record in deleted_records], log.id)
    record = None if state.document is None else state.document.record
    if record is not None:
        entry_index.leave_scope(record.scope, log.id)
    if not needed_seqs:
        _release(entry_index, log, state.tree)


def _delete_session(log: ConversationLog, state: State) -> list[Record]:
    """Delete the session; returns the records of its items."""
    deleted_records = log.seqs([Range(-1, state.newest_seq)])
    log.log.delete(state.snapshot)
    return deleted_records


def _bury(log: ConversationLog, state: State, needed_seqs: Sequence[int]) -> list[Record]:
    """Leave what forks need, in a branch that is not current; returns the records of the rest."""
    needed_ranges = [span for end_seq in needed_seqs for span in state.tree.ranges(end_seq)]
    deleted_records = log.seqs(minus([Range(-1, state.newest_seq)], needed_ranges))
    tree = state.tree.switched(state.newest_seq, None)
    write_document(log, state, None, tree)
    log.chat.remove(*(item.id for item in log.log.items(deleted_records)))
    return deleted_records


def _release(entry_index: EntryIndex, log: ConversationLog, tree: Tree) -> None:
    """Take a deleted fork off its sources, and delete those that only it needed."""
    for conversation in dict.fromkeys(base.conversation for base in tree.bases()):
        source_log = log.open(conversation)
        forks.unpin(source_log, log.id)
        _delete_unneeded(entry_index, source_log)


def _delete_unneeded(entry_index: EntryIndex, source: ConversationLog) -> None:
    """Delete a conversation that is there for forks alone, unless one needs it."""
    for _ in range(_TRIES):
        state = source.state(forks.query(source))
        if not _is_buried(source, state) or forks.needed(source, state, state.extra()):
            return
        with suppress(Conflict):
            _delete(entry_index, source, state, ())
            return


def _is_buried(log: ConversationLog, state: State) -> bool:
    """Return True if a conversation was deleted, and nobody added to it since."""
    if state.document is None or state.document.record is not None:
        return False
    return record_of(log, state) is None
