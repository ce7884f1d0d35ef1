"""Which conversations begin in another one: their entries stay as long as one of them needs them.

The `fork` records stand in the session that is forked, so that deleting it sees them in the same
compare-and-set. One is written before the fork, and taken off after it, and counts for nothing
once the conversation it names does not begin there, and it is not so new that it may yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.tree import Base
from threadkeep import Drop
from threadkeep.adapters.session_log import Change, Query, Record, fields_of, key, life_of
from threadkeep.errors import Conflict

FORK: Final = "fork"
_GRACE: Final = 60.0
"""Seconds in which a fork that is being made must be there."""

_TRIES: Final = 64


def query(source: ConversationLog) -> Query:
    """The `fork` records of a conversation."""
    return source.log.query(FORK)


def pin(source: ConversationLog, fork: str, seq: int, item: str | None) -> Base | None:
    """Keep what is up to a seq, that of an item, for a fork; `None` if it is there no more."""
    for _ in range(_TRIES):
        state = source.state()
        if state.document is None:
            return None
        pin_fields = {"conversation": fork, "at": source.log.now()}
        try:
            source.log.commit(
                state.snapshot, Change(records=[source.log.record(FORK, fork, pin_fields)])
            )
        except Conflict:
            continue
        return Base(source.id, state.document.token, seq, item, life_of(state.snapshot))
    return None


def is_pinned(source: ConversationLog, fork: str) -> bool:
    """Return True if a fork is still known to the conversation it begins in."""
    return bool(source.log.read(source.log.query(FORK, ids=[fork])).pages[0].records)


def unpin(source: ConversationLog, fork: str) -> None:
    """Forget a fork that is no more, or never was."""
    for _ in range(_TRIES):
        state = source.state(query(source))
        if key(fork) not in [record.id for record in state.extra()]:
            return
        try:
            source.log.commit(state.snapshot, Change(drop=[Drop(FORK, [key(fork)])]))
        except Conflict:
            continue
        return


def needed(source: ConversationLog, state: State, records: Iterable[Record]) -> list[int]:
    """The seqs up to which forks need what is in a conversation.

    Args:
        source: the conversation.
        state: of it.
        records: its `fork` records.
    """
    return [seq for record in records for seq in _needed_by(source, state, record)]


def _needed_by(source: ConversationLog, state: State, record: Record) -> list[int]:
    """The seqs up to which the fork of a record needs what is in a conversation."""
    pin_fields = fields_of(record) or {}
    fork, pinned_at = pin_fields.get("conversation"), pin_fields.get("at")
    if not (isinstance(fork, str) and fork and isinstance(pinned_at, int | float)):
        return []
    token = "" if state.document is None else state.document.token
    document = source.open(fork).state().document
    bases = [] if document is None else document.tree.bases()
    seqs = [source.seq_of(state, base) for base in bases if base[:2] == (source.id, token)]
    is_new = source.log.now() - pinned_at < _GRACE
    return seqs or ([state.newest_seq] if is_new else [])
