"""Lists of sessions: a user's, newest first, and all of a namespace, in no order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from threadkeep.core import body, json_text, names, record_shapes, session_codec
from threadkeep.core import cursor as cursors
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict, InputError
from threadkeep.printable import shown
from threadkeep.sessions.session_table import SessionListing
from threadkeep.types import KEEP, Drop, Listing, Page, Query, Record, SessionInfo
from threadkeep.types.versions import generation_of

TOUCH_INTERVAL = 60.0
"""Seconds between two moves of a session to the end of its user's list."""

_USERS_PAGE: Final = 500
_GRACE = 2 * TOUCH_INTERVAL
"""Seconds an entry outlives its session, so that every live session is listed."""


def touch(engine: Engine, user: str, session: str, *, new: bool) -> None:
    """Move a session to the end of its user's list, at most once a minute in this process."""
    now, ttl = engine.now(), engine.settings.ttl
    if not new and 0 <= now - engine.touched(user, session) < TOUCH_INTERVAL:
        return
    index_stream_name, key = engine.stream("sessions", user), names.key(session)
    entry_ttl = None if ttl is None else ttl + _GRACE
    expiry = None if entry_ttl is None else now + entry_ttl
    if expiry is not None and not new:
        expiry = _later(engine, Query(index_stream_name, "session", ids=[key]), expiry)
    record = Record("session", key, json_text.dumps({"id": session}, "session id"), now, expiry)
    engine.commit(index_stream_name, put=[record], drop=[Drop("session", [key])], ttl=entry_ttl)
    engine.touch(user, session, now)


def _later(engine: Engine, query: Query, expires: float) -> float:
    """The later of two ends: a worker whose clock is behind does not end an entry of others."""
    expiries = [record.expires for record in engine.read(query)[0].records]
    return max([expires, *(expiry for expiry in expiries if expiry is not None)])


class IndexEntry(NamedTuple):
    """A session's entry in its user's list, and the list's version; `seq` 0 = not listed."""

    version: int
    seq: int


def entry(engine: Engine, user: str, session: str) -> IndexEntry:
    """Read a session's entry in a user's list."""
    stream_name = engine.stream("sessions", user)
    list_version, records = engine.read(Query(stream_name, "session", ids=[names.key(session)]))[0]
    return IndexEntry(list_version, records[0].seq if records else 0)


def remove_entry(engine: Engine, user: str, session: str, known_entry: IndexEntry) -> None:
    """Remove a deleted session from its user's list, unless it was listed again since.

    Args:
        engine: of the session.
        user: the owner of the list.
        session: its id.
        known_entry: where it stood before it was known to be over.
    """
    index_stream_name = engine.stream("sessions", user)
    drops = [Drop("session", [names.key(session)])]
    expected_entry = known_entry
    while expected_entry.seq and (generation_of(expected_entry.version), expected_entry.seq) == (
        generation_of(known_entry.version),
        known_entry.seq,
    ):
        try:
            engine.commit(index_stream_name, drop=drops, ttl=KEEP, expect=expected_entry.version)
            return
        except Conflict:  # another session moved, or this one
            expected_entry = entry(engine, user, session)


def ensure_listed(engine: Engine, user: str, session: str) -> None:
    """List an existing session if a concurrent deletion removed its entry."""
    if not entry(engine, user, session).seq:
        touch(engine, user, session, new=True)


def user_sessions(
    engine: Engine, user: str, limit: int, cursor: Any, parent: str | None = None
) -> Listing[SessionInfo]:
    """A page of a user's sessions, or of the sub-agents of one; the one written last first.

    Entries whose session was deleted, or is owned by another user, are skipped.
    """
    limit, before_seq = _check_limit(limit), None if cursor is None else cursors.position(cursor)
    session_infos: list[SessionInfo] = []
    while True:
        missing_count = limit - len(session_infos) + 1
        index_entries = entries(engine, user, before_seq, missing_count)
        for seq, info in index_entries:
            if len(session_infos) == limit:
                return SessionListing(session_infos, cursor=before_seq)
            before_seq = seq
            if info is not None and info.user == user and _is_listed(info, parent):
                session_infos.append(info)
        if len(index_entries) < missing_count:
            return SessionListing(session_infos)


def entries(
    engine: Engine, user: str, before: int | None, limit: int
) -> list[tuple[int, SessionInfo | None]]:
    """Entries of a user's list, newest first: their seqs and sessions."""
    index_stream_name = engine.stream("sessions", user)
    query = Query(index_stream_name, "session", limit=limit, newest=True, before=before)
    records = engine.read(query)[0].records[::-1]
    infos = read(engine, [engine.stream("session", session_id_of(record)) for record in records])
    return [(record.seq, info) for record, info in zip(records, infos, strict=True)]


def all_sessions(
    engine: Engine, limit: int, cursor: Any, parent: str | None = None
) -> Listing[SessionInfo]:
    """A page of all sessions of the namespace, or of the sub-agents of one.

    In the store's order; its size is approximate.
    """
    stream_prefix = names.noun_prefix(engine.settings.namespace, "session")
    infos: list[SessionInfo] = []
    while len(infos) < _check_limit(limit):
        missing_count = limit - len(infos)
        stream_names, cursor = engine.streams(stream_prefix, cursor=cursor, limit=missing_count)
        existing_infos = (info for info in read(engine, stream_names) if info is not None)
        infos += [info for info in existing_infos if _is_listed(info, parent)]
        if cursor is None:
            break
    return SessionListing(infos, cursor=cursor)


def all_users(engine: Engine) -> Iterator[str]:
    """All users of the namespace who have sessions, in no particular order."""
    cursor = None
    while True:
        user_page = users(engine, _USERS_PAGE, cursor)
        yield from user_page
        cursor = user_page.cursor
        if cursor is None:
            return


def users(engine: Engine, limit: int, cursor: Any = None) -> Listing[str]:
    """A page of the users of the namespace who have sessions, in the store's order."""
    stream_prefix = names.noun_prefix(engine.settings.namespace, "sessions")
    stream_names, next_cursor = engine.streams(stream_prefix, cursor=cursor, limit=limit)
    owner_ids = (_user_of(engine, stream_name) for stream_name in dict.fromkeys(stream_names))
    return Listing((owner for owner in owner_ids if owner is not None), cursor=next_cursor)


def _user_of(engine: Engine, stream: str) -> str | None:
    """The user of a list; a long name is hashed, so that a session must tell."""
    user_id = names.decoded(names.parts(stream)[1])
    if engine.stream("sessions", user_id) == stream:
        return user_id
    records = engine.read(Query(stream, "session", limit=1, newest=True))[0].records
    infos = read(engine, [engine.stream("session", session_id_of(record)) for record in records])
    return next((info.user for info in infos if info is not None), None)


def is_sub_agent(info: SessionInfo) -> bool:
    """Return True for the session of a sub-agent, which lists hide.

    Its id is `<session>/<agent>`, or `<session>/<agent>/<id of the call>`.
    """
    if not info.agent:
        return False
    agent_suffix = f"/{info.agent}"
    return info.id.endswith(agent_suffix) or info.id.rpartition("/")[0].endswith(agent_suffix)


def _is_listed(info: SessionInfo, parent: str | None) -> bool:
    """Return True for a session of a list: of sub-agents, those below their parent only."""
    if parent is None:
        return not is_sub_agent(info)
    return is_sub_agent(info) and info.id.startswith(f"{parent}/")


def read(engine: Engine, streams: list[str]) -> list[SessionInfo | None]:
    """The infos of sessions, dated by their last items, in one round trip.

    A record whose id does not match its stream is ignored.
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
    infos = [
        _info(session_page, newest_page)
        for session_page, newest_page in zip(pages[::2], pages[1::2], strict=True)
    ]
    return [
        info if info is not None and engine.stream("session", info.id) == stream else None
        for stream, info in zip(streams, infos, strict=True)
    ]


def session_id_of(entry: Record) -> str:
    """The id of the session that an entry of a user's list points to."""
    try:
        return str(body.decode(entry, record_shapes.INDEX_ENTRY, "index entry")["id"])
    except UnreadableRecord as error:
        body.skip(entry, error)
        return entry.id


def _info(session_page: Page, newest_page: Page) -> SessionInfo | None:
    if not session_page.records:
        return None
    try:
        return session_codec.read_session(
            session_page.records[0],
            max(record.at for record in [*session_page.records, *newest_page.records]),
        )
    except UnreadableRecord as error:
        body.skip(session_page.records[0], error)
        return None


def _check_limit(limit: object) -> int:
    if type(limit) is not int or not 1 <= limit <= 1_000:
        raise InputError(f"limit must be a whole number from 1 to 1,000, got {shown(limit)}")
    return limit
