"""Lists of sessions: a user's, newest first, and everybody's, in no order."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from threadkeep.core import cursor as cursors
from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict, InputError
from threadkeep.types import KEEP, Drop, Listing, Page, Query, Record, SessionInfo
from threadkeep.types.versions import generation_of

TOUCH = 60.0
"""Seconds between two touches of one session in its user's list."""

_GRACE = 2 * TOUCH  # an entry outlives its session by this, so that a live one never loses its own


def touch(engine: Engine, user: str, session: str, *, new: bool) -> None:
    """Put a session at the end of its user's list, at most once a minute in this process."""
    now, ttl = engine.now(), engine.settings.ttl
    if not new and 0 <= now - engine.touched(user, session) < TOUCH:
        return
    stream, key = engine.stream("sessions", user), names.key(session)
    life = None if ttl is None else ttl + _GRACE
    expires = None if life is None else now + life
    entry = Record("session", key, item_codec.dumps({"id": session}, "session id"), now, expires)
    engine.commit(stream, put=[entry], drop=[Drop("session", [key])], ttl=life)
    engine.touch(user, session, now)


class Entry(NamedTuple):
    """A session's place in its user's list at a moment; `seq` 0 = it is not there."""

    version: int
    seq: int


def entry(engine: Engine, user: str, session: str) -> Entry:
    """Where a session stands in a user's list."""
    stream = engine.stream("sessions", user)
    version, records = engine.read(Query(stream, "session", ids=[names.key(session)]))[0]
    return Entry(version, records[0].seq if records else 0)


def leave(engine: Engine, user: str, session: str, before: Entry) -> None:
    """Take a session that is over off its user's list, unless it was put there again since.

    Args:
        engine: of the session.
        user: whose list it is.
        session: its id.
        before: where it stood before it was known to be over.
    """
    stream, drop = engine.stream("sessions", user), [Drop("session", [names.key(session)])]
    now = before
    while now.seq and (generation_of(now.version), now.seq) == (
        generation_of(before.version),
        before.seq,
    ):
        try:
            engine.commit(stream, drop=drop, ttl=KEEP, expect=now.version)
            return
        except Conflict:  # another session moved, or this one
            now = entry(engine, user, session)


def stay(engine: Engine, user: str, session: str) -> None:
    """Put a session that is there on its user's list, if somebody took it off meanwhile."""
    if not entry(engine, user, session).seq:
        touch(engine, user, session, new=True)


def of_user(engine: Engine, user: str, limit: int, cursor: Any) -> Listing[SessionInfo]:
    """A page of a user's sessions, the one written last first.

    Entries whose session is gone, or was claimed by somebody else, are passed over.
    """
    limit, before = _limit(limit), None if cursor is None else cursors.place(cursor)
    found: list[SessionInfo] = []
    while True:
        wanted = limit - len(found) + 1
        listed = entries(engine, user, before, wanted)
        for seq, info in listed:
            if len(found) == limit:
                return Listing(found, cursor=before)
            before = seq
            if info is not None and info.user == user and not of_sub_agent(info):
                found.append(info)
        if len(listed) < wanted:
            return Listing(found)


def entries(
    engine: Engine, user: str, before: int | None, limit: int
) -> list[tuple[int, SessionInfo | None]]:
    """Entries of a user's list, newest first, with their seqs and what they point to."""
    stream = engine.stream("sessions", user)
    query = Query(stream, "session", limit=limit, newest=True, before=before)
    listed = engine.read(query)[0].records[::-1]
    infos = read(engine, [engine.stream("session", named(entry)) for entry in listed])
    return [(entry.seq, info) for entry, info in zip(listed, infos, strict=True)]


def of_all(engine: Engine, limit: int, cursor: Any) -> Listing[SessionInfo]:
    """About a page of all sessions of the namespace, in the order of the store."""
    prefix = names.prefix(engine.settings.namespace, "session")
    found: list[SessionInfo] = []
    while len(found) < _limit(limit):
        wanted = limit - len(found)
        streams, cursor = engine.streams(prefix, cursor=cursor, limit=wanted)
        read_ = (info for info in read(engine, streams) if info is not None)
        found += [info for info in read_ if not of_sub_agent(info)]
        if cursor is None:
            break
    return Listing(found, cursor=cursor)


def of_sub_agent(info: SessionInfo) -> bool:
    """Whether it is the session of a sub-agent, `<session>/<agent>`, which no list shows."""
    return bool(info.agent) and info.id.endswith(f"/{info.agent}")


def read(engine: Engine, streams: list[str]) -> list[SessionInfo | None]:
    """What is known of sessions, each with its last item, in one round trip.

    A record that names another session than its stream does is of none.
    """
    queries = [
        query
        for stream in streams
        for query in (
            Query(stream, "session", ids=["session"]),
            Query(stream, "item", limit=1, newest=True),
        )
    ]
    pages = engine.read(*queries) if queries else []
    infos = [_info(own, last) for own, last in zip(pages[::2], pages[1::2], strict=True)]
    return [
        info if info is not None and engine.stream("session", info.id) == stream else None
        for stream, info in zip(streams, infos, strict=True)
    ]


def named(entry: Record) -> str:
    """The id of the session that an entry of a user's list points to."""
    try:
        return str(json.loads(entry.body)["id"])
    except item_codec.BROKEN:
        return entry.id


def _info(own: Page, last: Page) -> SessionInfo | None:
    if not own.records:
        return None
    try:
        return item_codec.read_session(
            own.records[0], max(record.at for record in [*own.records, *last.records])
        )
    except ValueError:
        return None


def _limit(limit: object) -> int:
    if type(limit) is not int or not 1 <= limit <= 1_000:
        raise InputError(f"limit must be a whole number from 1 to 1,000, got {limit!r}")
    return limit
