"""What the verbs of `Responses` do: responses into their sessions, and out of them."""

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
    Entry,
    entry_record,
    read_entry,
    read_feedback,
    response_record,
)
from threadkeep.errors import BackendError, Conflict, InputError
from threadkeep.responses.chain import check, entry_of, responses_of
from threadkeep.responses.parse import understood
from threadkeep.responses.search import (
    Hit,
    Where,
    hits,
    limited,
    page,
)
from threadkeep.sessions import response_index
from threadkeep.sessions.access import whose
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Listing, Query, Record, SessionInfo
from threadkeep.types.responses import Response, Usage
from threadkeep.types.timestamps import moment

_TRIES: Final = 16


def add(engine: Engine, user: str | None, given: object, said: dict[str, Any]) -> Response:
    """As `Responses.add`; `said` are the fields given beside it."""
    response, stored = understood(given, said)
    if user is not None and response.user not in (None, user):
        raise InputError(f"response.user is {response.user!r}, but it is added for {user!r}")
    user = whose(engine, user, response.user)
    now = engine.now()
    response = replace(
        response,
        id=response.id or f"resp_{engine.mint(now)}",
        user=user,
        created_at=response.created_at or moment(now),
    )
    response = redacted_response(engine, response)
    if not stored:
        response_record(response, now)  # as strict as if it were
        return response
    for _ in range(_TRIES):
        try:
            return _added(engine, user, response)
        except Conflict:
            continue
    raise BackendError(f"response {response.id!r} was written by others at each try; try again")


def get(engine: Engine, user: str | None, id: str) -> Response | None:
    """As `Responses.get`."""
    door = home(engine, user, id)
    return next(iter(responses_of(door, [id])), None) if door else None


def listed(
    engine: Engine,
    where: Where,
    safety_identifier: str | None,
    limit: int,
    cursor: object,
) -> Listing[Response]:
    """As `Responses.list`."""
    found = (
        ((hit.door, entry.id), hit.cursor)
        for hit, entry in entries(engine, where, safety_identifier, cursor)
    )
    taken, following = page(found, limited(limit))
    responses: list[Response] = []
    for door, run in groupby(taken, key=lambda pair: pair[0]):
        responses += responses_of(door, [id for _, id in run])
    return Listing(responses, cursor=following)


def entries(
    engine: Engine, where: Where, safety_identifier: str | None, cursor: object = None
) -> Iterator[tuple[Hit, Entry]]:
    """What the sessions' lists say of their responses, the newest first."""
    for hit in hits(engine, where, ENTRY, cursor):
        entry = read_entry(hit.record)
        if safety_identifier in (None, entry.safety_identifier):
            yield hit, entry


def usage(
    engine: Engine, where: Where, safety_identifier: str | None, by: str
) -> Iterator[tuple[str, Usage]]:
    """The cost of each response, under its model or day."""
    for _, entry in entries(engine, where, safety_identifier):
        day = f"{moment(entry.created_at):%Y-%m-%d}"
        yield (entry.model or "" if by == "model" else day), entry.usage


def delete(engine: Engine, user: str | None, id: str) -> bool:
    """As `Responses.delete`; whether there was one."""
    names.check(id, "id")
    door = home(engine, user, id)
    return door is not None and door.settle(functools.partial(_deleted, door, id))


def clear(engine: Engine, where: Where, safety_identifier: str | None) -> int:
    """As `Responses.clear`."""
    found = [(hit.door, entry.id) for hit, entry in entries(engine, where, safety_identifier)]
    return sum(door.settle(functools.partial(_deleted, door, id)) for door, id in found)


def home(engine: Engine, user: str | None, id: str) -> SessionStream | None:
    """The door of the session that a response is said to be in."""
    session = response_index.find(engine, [names.check(id, "id")])[0].session
    return None if session is None else SessionStream(engine, SessionInfo(session, user))


def _added(engine: Engine, user: str | None, response: Response) -> Response:
    own, before = response_index.find(
        engine, [response.id, response.previous_response_id or response.id]
    )
    here = _holding(engine, user, own.session, response.id)
    behind = _holding(engine, user, before.session, response.previous_response_id)
    if here is not None and response.conversation not in (None, here.id):
        raise InputError(f"response {response.id!r} is in conversation {here.id!r} already")
    door = here or behind
    if door is None or response.conversation not in (None, door.id):
        door = SessionStream(engine, SessionInfo(response.conversation or response.id, user))
    door.look()  # nothing is written for who may not
    check(door, behind, response)
    now = engine.now()
    put = [response_record(response, now), entry_record(response, now)]
    if response.previous_response_id is not None and behind is None:
        put.append(_gap(response.previous_response_id, now))
    response_index.point(engine, response.id, door.id, door.owner, own)
    seq = door.write(put)[0]
    return replace(response, conversation=door.id, user=door.owner, seq=seq)


def _holding(
    engine: Engine, user: str | None, session: str | None, id: str | None
) -> SessionStream | None:
    """The door of the session that was pointed to, if the response is really there."""
    if session is None or id is None:
        return None
    door = SessionStream(engine, SessionInfo(session, user))
    return door if entry_of(door, id) else None


def _deleted(door: SessionStream, id: str) -> bool:
    key = names.key(id)
    seen = door.look(Query(door.stream, ENTRY, ids=[key]), Query(door.stream, "feedback"))
    if not seen.pages[0].records:
        return False
    feedback = [record.id for record in seen.pages[1].records if _is_on(record, id)]
    pointed = response_index.of_session(door.engine, door.id, [id])
    drop = [Drop(kind, [key]) for kind in ("response", ENTRY)]
    drop += [Drop("feedback", feedback)] if feedback else []
    door.change(seen, drop=drop, put=[_gap(id, door.engine.now())])
    response_index.forget(door.engine, pointed)
    return True


def _is_on(record: Record, id: str) -> bool:
    feedback = read_feedback(record, "")
    return feedback is not None and feedback.response == id


def _gap(id: str, now: float) -> Record:
    return Record(GAP, names.key(id), "{}", now)
