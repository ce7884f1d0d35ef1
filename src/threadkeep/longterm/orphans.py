"""What is a user's and on no list of theirs: found by one walk over the names in the store.

A list loses a session only where a crash met another writer, or to a threadkeep of before; a
pointer or a summary may outlive its session.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from urllib.parse import unquote

from threadkeep.core import body, names, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.pages import stream_pages
from threadkeep.core.record_shapes import POINTER, SUMMARY
from threadkeep.errors import Conflict
from threadkeep.sessions import derived
from threadkeep.types import KEEP, Drop, Query, Record


def sessions(engine: Engine, user: str, unreadable: list[str]) -> Iterator[str]:
    """The ids of all sessions that name the user as their owner.

    Args:
        engine: of the sessions.
        user: whose they are.
        unreadable: takes the streams of sessions of which nobody can say whose they are.
    """
    stream_prefix = names.noun_prefix(engine.settings.namespace, "session")
    for session_stream_name, _, record in _records(engine, stream_prefix, "session"):
        owner_id = session_codec.owner(record)
        if owner_id == user:
            yield _session(engine, session_stream_name, record)
        elif owner_id is None and not _is_readable(record):
            unreadable.append(session_stream_name)


def forget_pointers(engine: Engine, user: str, sessions: Collection[str]) -> int:
    """Remove what says where responses of the user, or of these sessions, are; how many.

    What cannot be read says nothing to anybody, whosever it is, and goes as well.
    """
    stream_prefix = names.noun_prefix(engine.settings.namespace, "response")
    record_count = 0
    for pointer_stream_name, version, record in _records(engine, stream_prefix, "pointer"):
        owner_id, session = (session_codec.text_field(record, name) for name in ("user", "session"))
        if owner_id == user or session in sessions or not body.is_readable(record, POINTER):
            record_count += _drop(engine, pointer_stream_name, version)
    return record_count


def forget_summaries(engine: Engine, user: str) -> int:
    """Remove the summaries of sessions that were the user's; how many.

    One that cannot be read goes as well, unless its session is there and is somebody else's.
    """
    stream_prefix = derived.stream(engine, derived.SUMMARY, "")
    record_count = 0
    for stream_name, version, record in _records(engine.longterm, stream_prefix, derived.SUMMARY):
        if body.is_readable(record, SUMMARY):
            is_theirs = session_codec.text_field(record, "user") == user
        else:
            is_theirs = _owner_of_derived(engine, stream_name) in (None, user)
        if is_theirs:
            record_count += _drop(engine.longterm, stream_name, version)
    return record_count


def _records(engine: Engine, prefix: str, kind: str) -> Iterator[tuple[str, int, Record]]:
    """The streams of a prefix, with their versions and their one record of a kind."""
    for stream_names in stream_pages(engine, prefix):
        record_queries = [Query(stream, kind, ids=[kind]) for stream in stream_names]
        record_pages = engine.read(*record_queries) if record_queries else []
        for stream_name, record_page in zip(stream_names, record_pages, strict=True):
            if record_page.records:
                yield stream_name, record_page.version, record_page.records[0]


def _session(engine: Engine, stream: str, record: Record) -> str:
    """The id of a session: as its record says, if that is true, else as its stream is named."""
    session_id = session_codec.text_field(record, "id")
    if session_id is not None and engine.stream("session", session_id) == stream:
        return session_id
    return unquote(names.parts(stream)[1], errors="surrogatepass")


def _owner_of_derived(engine: Engine, stream: str) -> str | None:
    """The owner of the session that a summary is of, by the names of their streams."""
    session_prefix = names.noun_prefix(engine.settings.namespace, "session")
    session_stream_name = session_prefix + names.parts(stream)[1]
    session_records = engine.read(Query(session_stream_name, "session", ids=["session"]))[0].records
    return session_codec.owner(session_records[0]) if session_records else None


def _is_readable(record: Record) -> bool:
    with suppress(UnreadableRecord):
        session_codec.read_session(record)
        return True
    return False


def _drop(engine: Engine, stream: str, version: int) -> int:
    with suppress(Conflict):
        engine.commit(stream, drop=[Drop()], ttl=KEEP, expect=version)
        return 1
    return 0
