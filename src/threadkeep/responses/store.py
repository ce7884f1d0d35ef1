"""Implements `Responses`: store responses in their sessions, and read them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_response
from threadkeep.core.response_codec import (
    ENTRY,
    GAP,
    ResponseEntry,
    entry_record,
    read_entry,
    read_response,
    response_of_feedback,
    response_record,
)
from threadkeep.errors import BackendError, Conflict, InputError
from threadkeep.printable import shown
from threadkeep.responses.chain import check_acyclic, find_entry, read_responses
from threadkeep.responses.parse import parse_response
from threadkeep.responses.search import (
    RecordHit,
    Scope,
    check_limit,
    find_places,
    find_records,
    take_page,
)
from threadkeep.sessions import response_index
from threadkeep.sessions.access import owner_for
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Drop, Listing, Query, Record, SessionInfo
from threadkeep.types.responses import FINAL_STATUSES, OPEN_STATUSES, Response, Usage
from threadkeep.types.timestamps import utc_datetime

_MAX_TRIES: Final = 16


def add(engine: Engine, user: str | None, source: object, overrides: dict[str, Any]) -> Response:
    """Implements `Responses.add`; `overrides` are fields that take precedence."""
    response, is_storable = parse_response(source, overrides)
    if user is not None and response.user not in (None, user):
        raise InputError(
            f"response.user is {shown(response.user)}, but it is added for {shown(user)}"
        )
    user = owner_for(engine, user, response.user)
    now = engine.now()
    response = replace(
        response,
        id=response.id or f"resp_{engine.new_id(now)}",
        user=user,
        created_at=response.created_at or utc_datetime(now),
    )
    response = redacted_response(engine, response)
    if not is_storable:
        response_record(response, now)  # validated as strictly as if it were stored
        return response
    for _ in range(_MAX_TRIES):
        try:
            return _add(engine, user, response)
        except Conflict:
            continue
    raise BackendError(
        f"response {shown(response.id)} was written by others at each try; try again"
    )


def get(engine: Engine, user: str | None, id: str) -> Response | None:
    """Implements `Responses.get`."""
    session_stream = find_stream(engine, user, id)
    return next(iter(read_responses(session_stream, [id])), None) if session_stream else None


def list_responses(
    engine: Engine,
    scope: Scope,
    safety_identifier: str | None,
    limit: int,
    cursor: object,
) -> Listing[Response]:
    """Implements `Responses.list`."""
    pairs = (
        (None if hit is None else _locate(hit, safety_identifier), hit_cursor)
        for hit, hit_cursor in find_places(engine, scope, ENTRY, cursor)
    )
    streams_and_ids, next_cursor = take_page(pairs, check_limit(limit))
    responses: list[Response] = []
    for session_stream, session_pairs in groupby(streams_and_ids, key=lambda pair: pair[0]):
        responses += read_responses(session_stream, [id for _, id in session_pairs])
    return Listing(responses, cursor=next_cursor)


def _locate(hit: RecordHit, safety_identifier: str | None) -> tuple[SessionStream, str] | None:
    """Where a response is; `None` if it does not match."""
    entry = read_entry(hit.record)
    return (hit.stream, entry.id) if safety_identifier in (None, entry.safety_identifier) else None


def entries(
    engine: Engine, scope: Scope, safety_identifier: str | None
) -> Iterator[tuple[RecordHit, ResponseEntry]]:
    """The entries of responses in the sessions' lists, newest first."""
    for hit in find_records(engine, scope, ENTRY, None):
        response_entry = read_entry(hit.record)
        if safety_identifier in (None, response_entry.safety_identifier):
            yield hit, response_entry


def usage(
    engine: Engine, scope: Scope, safety_identifier: str | None, by: str
) -> Iterator[tuple[str, Usage]]:
    """The usage of each response, under its model or day."""
    for _, response_entry in entries(engine, scope, safety_identifier):
        day = f"{utc_datetime(response_entry.created_at):%Y-%m-%d}"
        yield (response_entry.model or "" if by == "model" else day), response_entry.usage


def delete(engine: Engine, user: str | None, id: str) -> bool:
    """Implements `Responses.delete`; returns True if the response existed."""
    names.check(id, "id")
    stream = find_stream(engine, user, id)
    return stream is not None and stream.retry(functools.partial(_delete, stream, id))


def clear(engine: Engine, scope: Scope, safety_identifier: str | None) -> int:
    """Implements `Responses.clear`."""
    targets = [(hit.stream, entry.id) for hit, entry in entries(engine, scope, safety_identifier)]
    return sum(stream.retry(functools.partial(_delete, stream, id)) for stream, id in targets)


def find_stream(engine: Engine, user: str | None, id: str) -> SessionStream | None:
    """The stream of the session that the index names for a response, or `None`."""
    session_id = response_index.find_pointers(engine, [names.check(id, "id")])[0].session
    return None if session_id is None else SessionStream(engine, SessionInfo(session_id, user))


def _add(engine: Engine, user: str | None, response: Response) -> Response:
    pointer, previous_pointer = response_index.find_pointers(
        engine, [response.id, response.previous_response_id or response.id]
    )
    current_stream = _stream_with(engine, user, pointer.session, response.id)
    previous_stream = _stream_with(
        engine, user, previous_pointer.session, response.previous_response_id
    )
    if current_stream is not None and response.conversation not in (None, current_stream.id):
        raise InputError(
            f"response {shown(response.id)} is in conversation {shown(current_stream.id)} already"
        )
    stream = current_stream or previous_stream
    if stream is None or response.conversation not in (None, stream.id):
        stream = SessionStream(engine, SessionInfo(response.conversation or response.id, user))
    snapshot = stream.read(Query(stream.stream_name, "response", ids=[names.key(response.id)]))
    existing_response = _existing(stream, snapshot)
    if existing_response is not None and existing_response.status in FINAL_STATUSES:
        if response.status in OPEN_STATUSES:
            return existing_response  # an event that came late
        response = replace(response, status=response.status or existing_response.status)
    check_acyclic(stream, previous_stream, response)
    now = engine.now()
    branch = _branch_of(stream, snapshot, existing_response)
    new_records = [response_record(response, now), entry_record(response, now, branch)]
    is_continued_here = previous_stream is not None and previous_stream.id == stream.id
    if response.previous_response_id is not None and not is_continued_here:
        new_records.append(_gap_record(response.previous_response_id, now))
    response_index.write_pointer(engine, response.id, stream.id, stream.owner, pointer)
    if response.status in OPEN_STATUSES:  # never over a final one that is written meanwhile
        seq = stream.compare_and_set(snapshot, put=new_records)[0]
    else:
        seq = stream.append(new_records)[0]
    if not response_index.is_pointed(engine, response.id, stream.id):
        response_index.restore_pointers(engine, stream.id, [response.id])
    return replace(response, conversation=stream.id, user=stream.owner, seq=seq)


def _branch_of(stream: SessionStream, snapshot: Snapshot, existing: Response | None) -> str | None:
    """The branch that a response is stored on; one that is updated stays on its own."""
    if snapshot.info is None or not snapshot.info.branches:
        return None
    entry = None if existing is None else find_entry(stream, existing.id)
    shown_branch = next(branch.name for branch in snapshot.info.branches if branch.is_shown)
    return shown_branch if entry is None else entry.branch


def _existing(stream: SessionStream, snapshot: Snapshot) -> Response | None:
    response_records = snapshot.pages[0].records
    return read_response(response_records[0], stream.id, stream.owner) if response_records else None


def _stream_with(
    engine: Engine, user: str | None, session: str | None, id: str | None
) -> SessionStream | None:
    """The stream of the session from the index, if the session has the response."""
    if session is None or id is None:
        return None
    session_stream = SessionStream(engine, SessionInfo(session, user))
    return session_stream if find_entry(session_stream, id) else None


def _delete(stream: SessionStream, id: str) -> bool:
    record_key = names.key(id)
    snapshot = stream.read(
        Query(stream.stream_name, ENTRY, ids=[record_key]), Query(stream.stream_name, "feedback")
    )
    if not snapshot.pages[0].records:
        return False
    feedback_ids = [record.id for record in snapshot.pages[1].records if _is_about(record, id)]
    pointers = response_index.pointers_to(stream.engine, stream.id, [id])
    drops = [Drop(kind, [record_key]) for kind in ("response", ENTRY)]
    drops += [Drop("feedback", feedback_ids)] if feedback_ids else []
    stream.compare_and_set(snapshot, drop=drops, put=[_gap_record(id, stream.engine.now())])
    response_index.delete_pointers(stream.engine, stream.id, pointers)
    return True


def _is_about(record: Record, id: str) -> bool:
    return response_of_feedback(record) == id


def _gap_record(id: str, now: float) -> Record:
    return Record(GAP, names.key(id), "{}", now)
