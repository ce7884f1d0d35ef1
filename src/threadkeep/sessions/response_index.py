"""Pointers from response ids to sessions, in streams `response/<id>`.

A pointer is written before its response and expires a fifth later than the session would without
another write; the session's writes renew it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.core import body, json_text, names, record_shapes, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.response_codec import ENTRY, read_entry
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Page, Query, Record

_RENEW_INTERVAL: Final = 0.1  # of a ttl: the longest time between two renewals
_TTL_FACTOR: Final = 1.2  # ttls, so that no pointer expires before its session
_RENEWAL_KEY: Final = ""  # no user has this name, so it is free in the engine's touch cache


class Pointer(NamedTuple):
    """The session of a response (`None` = unknown), and the version of the pointer."""

    session: str | None
    version: int


def find_pointers(engine: Engine, ids: Sequence[str]) -> list[Pointer]:
    """Read the pointers of responses in one round trip; the responses may no longer exist."""
    queries = [Query(engine.stream("response", id), "pointer", ids=["pointer"]) for id in ids]
    return [_parse_pointer(page) for page in engine.read(*queries)] if queries else []


def write_pointer(
    engine: Engine, id: str, session: str, user: str | None, pointer: Pointer
) -> None:
    """Point a response id to a session and its user.

    An equal pointer is written again: a concurrent deletion must see that it is needed.

    Raises:
        Conflict: another writer changed it since it was read.
    """
    pointer_stream_name, ttl = engine.stream("response", id), _pointer_ttl(engine)
    owner_fields = {} if user is None else {"user": user}
    pointer_json = json_text.dumps({"id": id, "session": session, **owner_fields}, "response id")
    record = Record("pointer", "pointer", pointer_json, engine.now())
    engine.commit(pointer_stream_name, put=[record], ttl=ttl, expect=pointer.version)


def adopt_pointer(engine: Engine, session: str, user: str | None, entry: Record) -> None:
    """Point the response of an entry to a session, unless another session has it already."""
    response_id = read_entry(entry).id
    pointer = find_pointers(engine, [response_id])[0]
    if pointer.session not in (None, session):
        other_stream_name = engine.stream("session", str(pointer.session))
        if engine.read(Query(other_stream_name, ENTRY, ids=[entry.id]))[0].records:
            return
    with suppress(Conflict):
        write_pointer(engine, response_id, session, user, pointer)


def pointers_to(engine: Engine, session: str, ids: Iterable[str]) -> dict[str, int]:
    """The responses with pointers to a session, and the versions of the pointers."""
    response_ids = list(ids)
    pointer_pairs = zip(response_ids, find_pointers(engine, response_ids), strict=True)
    return {id: pointer.version for id, pointer in pointer_pairs if pointer.session == session}


def is_pointed(engine: Engine, id: str, session: str) -> bool:
    """Return True if a response's pointer is there; who added the response asks afterwards."""
    return find_pointers(engine, [id])[0].session == session


def delete_pointers(engine: Engine, session: str, versions: Mapping[str, int]) -> None:
    """Delete pointers of a session that were not written again since.

    An add writes the pointer, then the response, and looks for the pointer; a deletion removes
    both and then looks for the response. So one of the two sees the other, in any order.
    """
    for response_id, version in versions.items():
        with suppress(Conflict):
            pointer_stream_name = engine.stream("response", response_id)
            engine.commit(pointer_stream_name, drop=[Drop()], ttl=KEEP, expect=version)
    if versions:
        restore_pointers(engine, session, versions)


def restore_pointers(engine: Engine, session: str, ids: Iterable[str]) -> None:
    """Point to those of the responses that are in a session, though their pointers are gone."""
    stream_name = engine.stream("session", session)
    response_keys = [names.key(response_id) for response_id in ids]
    session_page, entry_page = engine.read(
        Query(stream_name, "session", ids=["session"]), Query(stream_name, ENTRY, ids=response_keys)
    )
    for entry_record in entry_page.records:
        owner_id = session_codec.owner(session_page.records[0]) if session_page.records else None
        adopt_pointer(engine, session, owner_id, entry_record)


def renew_pointers(engine: Engine, session: str, *, new: bool) -> None:
    """Renew the expiry of a session's pointers, at most ten times per ttl."""
    ttl = engine.settings.ttl
    if ttl is None:
        return
    now = engine.now()
    if 0 <= now - engine.touched(_RENEWAL_KEY, session) < ttl * _RENEW_INTERVAL:
        return
    if not new:
        entry_page = engine.read(Query(engine.stream("session", session), ENTRY))[0]
        for response_id in ids_of_entries(entry_page):
            engine.commit(engine.stream("response", response_id), ttl=_pointer_ttl(engine))
    engine.touch(_RENEWAL_KEY, session, now)


def ids_of_entries(page: Page) -> list[str]:
    """The response ids in a page of entries."""
    return [read_entry(record).id for record in page.records]


def _parse_pointer(page: Page) -> Pointer:
    if not page.records:
        return Pointer(None, page.version)
    try:
        pointer_fields = body.decode(page.records[0], record_shapes.POINTER)
    except UnreadableRecord as error:
        body.skip(page.records[0], error)
        return Pointer(None, page.version)
    return Pointer(str(pointer_fields["session"]), page.version)


def _pointer_ttl(engine: Engine) -> float | None:
    return None if engine.settings.ttl is None else engine.settings.ttl * _TTL_FACTOR
