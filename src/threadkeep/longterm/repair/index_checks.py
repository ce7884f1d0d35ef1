"""Checks what leads to sessions: users' lists, and pointers of responses."""

from __future__ import annotations

from collections.abc import Iterator

from threadkeep.core import names, record_shapes, session_codec
from threadkeep.core.engine import Engine
from threadkeep.core.pages import all_records
from threadkeep.core.response_codec import ENTRY
from threadkeep.longterm.repair.problem import (
    PAGE,
    StoreFinding,
    is_old,
    orphan,
    orphaned_stream,
    unreadable,
)
from threadkeep.sessions import user_index
from threadkeep.types import Query, Record


def check_list(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in the list of a user's sessions."""
    for record in all_records(engine, stream, "session", PAGE):
        findings = list(unreadable(engine, stream, record, record_shapes.INDEX_ENTRY))
        yield from findings
        if not findings and is_old(engine, record) and not _is_owned(engine, stream, record):
            yield orphan(engine, stream, record, "list entry without session")


def check_pointer(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in the pointer from a response's id to its session."""
    pointer_page = engine.read(Query(stream, "pointer", ids=["pointer"]))[0]
    for record in pointer_page.records:
        findings = list(unreadable(engine, stream, record, record_shapes.POINTER))
        yield from findings
        if not findings and is_old(engine, record) and not _has_response(engine, stream, record):
            yield orphaned_stream(engine, stream, pointer_page.version, "pointer without response")


def _is_owned(engine: Engine, stream: str, entry: Record) -> bool:
    """Whether the session of an entry is there, and its owner's list is the one with the entry."""
    session_stream_name = engine.stream("session", user_index.session_id_of(entry))
    session_page = engine.read(Query(session_stream_name, "session", ids=["session"]))[0]
    if not session_page.records:
        return False
    owner_id = session_codec.owner(session_page.records[0])
    return owner_id is None or engine.stream("sessions", owner_id) == stream


def _has_response(engine: Engine, stream: str, pointer: Record) -> bool:
    session_id = session_codec.text_field(pointer, "session") or ""
    response_id = session_codec.text_field(pointer, "id")
    if response_id is None:  # of a version that did not say so: its stream may be hashed
        return True
    entry_query = Query(engine.stream("session", session_id), ENTRY, ids=[names.key(response_id)])
    return engine.stream("response", response_id) == stream and bool(
        engine.read(entry_query)[0].records
    )
