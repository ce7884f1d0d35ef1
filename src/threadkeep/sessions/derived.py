"""Deletes data derived from a session: its summary, and the memory of an anonymous session.

Both are in the store of long-term memory; their content is written and read elsewhere.
"""

from __future__ import annotations

from typing import Final

from threadkeep.core import body, names, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.session_codec import text_field
from threadkeep.types import KEEP, Drop, Query, Record

SUMMARY: Final = "summary"
"""The noun of the stream, and the kind and the id of its one record."""

ANONYMOUS: Final = "anon"


def stream(engine: Engine, noun: str, session: str) -> str:
    """The stream of a session's derived data.

    If the sessions have another namespace than long-term memory, the name contains it.
    """
    return engine.longterm.stream(_noun(engine, noun), session)


def derived_stream(engine: Engine, noun: str, stream: str) -> str:
    """As `stream`, from the name of the session's own stream."""
    _, encoded_id = names.parts(stream)
    return names.noun_prefix(engine.longterm.settings.namespace, _noun(engine, noun)) + encoded_id


def delete_derived(engine: Engine, session: str, *, user: str | None, is_ended: bool) -> None:
    """Drop the derived data of a deleted session.

    Args:
        engine: of the session.
        session: its id.
        user: who deletes it; `None` = the operator.
        is_ended: whether the session no longer exists: then a user may only drop a summary that
            names them.
    """
    stream_name = stream(engine, SUMMARY, session)
    if not is_ended or user is None:
        _drop(engine, stream_name)
        _drop(engine, stream(engine, ANONYMOUS, session))
        return
    summary_records = engine.longterm.read(Query(stream_name, SUMMARY, ids=[SUMMARY]))[0].records
    if summary_records and text_field(summary_records[0], "user") == user:
        _drop(engine, stream_name)


def invalidate_summary(
    engine: Engine, session: str, *, seq: int = 0, generation: int | None = None
) -> None:
    """Drop the summary if it covers an item that was edited or removed.

    Call it after the edit: the writer of a summary reads the items again after writing it, so one
    of the two notices the other.

    Args:
        engine: of the session.
        session: its id.
        seq: the oldest item that changed; 0 = all may have.
        generation: of the session; a summary of another generation covers nothing of this one.
    """
    stream_name = stream(engine, SUMMARY, session)
    summary_records = engine.longterm.read(Query(stream_name, SUMMARY, ids=[SUMMARY]))[0].records
    if summary_records and _covers(summary_records[0], seq, generation):
        _drop(engine, stream_name)


def _noun(engine: Engine, noun: str) -> str:
    session_namespace = engine.settings.namespace
    longterm_namespace = engine.longterm.settings.namespace
    return (
        noun
        if session_namespace == longterm_namespace
        else f"{noun}@{names.namespace_prefix(session_namespace)[:-1]}"
    )


def _covers(record: Record, seq: int, generation: int | None) -> bool:
    try:
        body_fields = body.decode(record, record_shapes.SUMMARY)
    except UnreadableRecord:
        return True  # assume that it does
    return (not seq or body_fields["last_seq"] >= seq) and generation in (None, body_fields["life"])


def _drop(engine: Engine, stream: str) -> None:
    engine.longterm.commit(stream, drop=[Drop()], ttl=KEEP)
