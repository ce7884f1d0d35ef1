"""Checks a session's stream: its own record, and responses, entries and feedback that agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from threadkeep.core import body, names, record_shapes, response_codec, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.pages import all_records
from threadkeep.core.response_codec import ENTRY, GAP
from threadkeep.core.shape import Check
from threadkeep.longterm.repair.problem import (
    PAGE,
    StoreFinding,
    is_old,
    orphan,
    orphaned_stream,
    unreadable,
)
from threadkeep.printable import counted
from threadkeep.sessions import response_index, user_index
from threadkeep.sessions.rollback import UNDO, roll_back
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import KEEP, Query, Record, SessionInfo

_SHAPES: Final[Mapping[str, Check]] = {
    "file": record_shapes.FILE,
    "response": record_shapes.RESPONSE,
    ENTRY: record_shapes.RESPONSE_ENTRY,
    GAP: record_shapes.EMPTY,
    "feedback": record_shapes.FEEDBACK,
}
"""The shapes of what a session has beside its items, which `findings` of a history looks at."""

_UNREADABLE: Final = "its owner is unknown: restore it from a copy, or delete it as the operator"


def check(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in the stream of a session."""
    session_page, newest_item_page = engine.read(
        Query(stream, "session", ids=["session"]), Query(stream, "item", limit=1, newest=True)
    )
    if not session_page.records:
        if newest_item_page.records and is_old(engine, newest_item_page.records[0]):
            session_version = session_page.version
            yield orphaned_stream(engine, stream, session_version, "items without a session")
        return
    try:
        session_info = session_codec.read_session(session_page.records[0])
    except UnreadableRecord as error:
        yield StoreFinding(stream, "unreadable session", f"{error.reason}; {_UNREADABLE}")
        return
    yield from _check_listing(engine, stream, session_info)
    yield from _check_notes(engine, stream, session_info)
    for record_kind, record_shape in _SHAPES.items():
        for record in all_records(engine, stream, record_kind, PAGE):
            yield from unreadable(engine, stream, record, record_shape)
    yield from _check_responses(engine, stream, session_info)


def _check_listing(engine: Engine, stream: str, info: SessionInfo) -> Iterator[StoreFinding]:
    if info.user is not None and not user_index.entry(engine, info.user, info.id).seq:
        fix = partial(_list, engine, info.user, info.id)
        yield StoreFinding(stream, "not on its owner's list", f"user {info.user}", fix)


def _check_notes(engine: Engine, stream: str, info: SessionInfo) -> Iterator[StoreFinding]:
    """A change of several commits whose writer is gone, and which no adapter has read since."""
    notes = [note for note in all_records(engine, stream, UNDO, PAGE) if is_old(engine, note)]
    if notes:
        fix = partial(_take_back, engine, info, notes)
        yield StoreFinding(
            stream, "part of a change", f"taken back by {counted(len(notes), 'note')}", fix
        )


def _check_responses(engine: Engine, stream: str, info: SessionInfo) -> Iterator[StoreFinding]:
    entry_by_id = {record.id: record for record in all_records(engine, stream, ENTRY, PAGE)}
    response_ids: set[str] = set()
    for record in all_records(engine, stream, "response", PAGE):
        response_ids.add(record.id)
        if record.id not in entry_by_id and body.is_readable(record, record_shapes.RESPONSE):
            fix = partial(_add_entry, engine, stream, record)
            yield StoreFinding(stream, "response without entry", record.id, fix)
    for entry_id, record in entry_by_id.items():
        if entry_id not in response_ids:
            yield orphan(engine, stream, record, "entry without response")
        elif not response_index.is_pointed(engine, (response_id := _id_of(record)), info.id):
            fix = partial(_add_pointer, engine, info.id, response_id)
            yield StoreFinding(stream, "response without pointer", response_id, fix)
    for record in all_records(engine, stream, "feedback", PAGE):
        rated_response_id = response_codec.response_of_feedback(record)
        if (
            rated_response_id is not None
            and names.key(rated_response_id) not in response_ids
            and is_old(engine, record)
        ):
            yield orphan(engine, stream, record, "feedback without response")


def _id_of(entry: Record) -> str:
    return response_codec.read_entry(entry).id


def _list(engine: Engine, user: str, session: str) -> bool:
    user_index.ensure_listed(engine, user, session)
    return True


def _take_back(engine: Engine, info: SessionInfo, notes: Sequence[Record]) -> bool:
    roll_back(SessionStream(engine, info), notes)
    return True


def _add_entry(engine: Engine, stream: str, record: Record) -> bool:
    response = response_codec.decode_response(record, "", None)
    entry = response_codec.entry_record(response, record.at)
    engine.commit(stream, put=[entry], ttl=KEEP)
    return True


def _add_pointer(engine: Engine, session: str, response: str) -> bool:
    response_index.restore_pointers(engine, session, [response])
    return response_index.is_pointed(engine, response, session)
