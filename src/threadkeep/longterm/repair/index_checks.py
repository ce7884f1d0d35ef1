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
        broken = list(unreadable(engine, stream, record, record_shapes.INDEX_ENTRY))
        yield from broken
        if not broken and is_old(engine, record) and not _is_owned(engine, stream, record):
            yield orphan(engine, stream, record, "list entry without session")


def check_pointer(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in the pointer from a response's id to its session."""
    page = engine.read(Query(stream, "pointer", ids=["pointer"]))[0]
    for record in page.records:
        broken = list(unreadable(engine, stream, record, record_shapes.POINTER))
        yield from broken
        if not broken and is_old(engine, record) and not _has_response(engine, stream, record):
            yield orphaned_stream(engine, stream, page.version, "pointer without response")


def _is_owned(engine: Engine, stream: str, entry: Record) -> bool:
    """Whether the session of an entry is there, and its owner's list is the one with the entry."""
    session = engine.stream("session", user_index.session_id_of(entry))
    page = engine.read(Query(session, "session", ids=["session"]))[0]
    if not page.records:
        return False
    owner = session_codec.owner(page.records[0])
    return owner is None or engine.stream("sessions", owner) == stream


def _has_response(engine: Engine, stream: str, pointer: Record) -> bool:
    session = session_codec.text_field(pointer, "session") or ""
    id = session_codec.text_field(pointer, "id")
    if id is None:  # of a version that did not say so: its stream may be hashed
        return True
    query = Query(engine.stream("session", session), ENTRY, ids=[names.key(id)])
    return engine.stream("response", id) == stream and bool(engine.read(query)[0].records)
