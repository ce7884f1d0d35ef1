"""Sessions as JSON lines and back: exact, page by page, each session whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Final, NamedTuple

from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine
from threadkeep.core.response_codec import ENTRY
from threadkeep.errors import Conflict, CorruptRecord, InputError
from threadkeep.sessions import export_line, response_index
from threadkeep.sessions.export_line import KINDS, Line
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Json, Query, Record, SessionInfo

SCHEMA: Final = 2
"""1 had sessions only."""

_PAGE: Final = 500


class Stored(NamedTuple):
    """A session as it will be written: every line of it was checked.

    Attributes:
        info: what its own record says.
        own: its `session` record.
        records: all others, in order.
    """

    info: SessionInfo
    own: Record
    records: list[Record]


def header() -> Line:
    """The first line of an export: what it is, and how to read it."""
    return {"threadkeep": "export", "schema": SCHEMA}


def lines(engine: Engine, session: str) -> Iterator[Line]:
    """A session, a line per record, its own first; nothing if there is no such session."""
    stream = engine.stream("session", session)
    for kind in KINDS:
        for record in _records(engine, stream, kind):
            yield _line(session, record)


def sessions(numbered: Iterable[tuple[int, Line]], user: str | None) -> Iterator[Stored]:
    """Sessions of an export, without a store.

    Args:
        numbered: lines of sessions, those of one together.
        user: whose they must be; one without an owner becomes theirs. `None` = anybody's.

    Raises:
        InputError: a line is not of an export, or of another user's session; it is numbered.
    """
    for session, lines in groupby(numbered, key=_session):
        yield _checked(session, list(lines), user)


def write(engine: Engine, session: Stored) -> bool:
    """Write a session, whole or not at all; whether it was new here."""
    door = SessionStream(engine, SessionInfo(session.info.id))
    try:
        door.begin(session.info, _pointed(engine, session), session.own)
    except (Conflict, CorruptRecord):  # what is there already stays, also what cannot be read
        return False
    return True


def _records(engine: Engine, stream: str, kind: str) -> Iterator[Record]:
    after = None
    while True:
        page = engine.read(Query(stream, kind, limit=_PAGE, after=after))[0].records
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def _line(session: str, record: Record) -> Line:
    said: Line = {"session": session, "kind": record.kind, "id": record.id, "at": record.at}
    if record.expires is not None:
        said["expires"] = record.expires
    body = _exact(record.body)
    return {**said, "text": record.body} if body is None else {**said, "body": body}


def _exact(text: str) -> Json:
    """What a body says; `None` if that would not become the same text again."""
    try:
        body = json.loads(text)
        return body if item_codec.dumps(body, "body") == text else None
    except ValueError:  # unreadable, but perhaps not for ever
        return None


def check_header(first: Line) -> None:
    """Refuse what is no export, or one of a later threadkeep.

    Raises:
        InputError: it is.
    """
    if first.get("threadkeep") != "export":
        raise InputError("this is no export of threadkeep: its first line does not say so")
    if first.get("schema") not in range(1, SCHEMA + 1):
        raise InputError(
            f"the export has schema {first.get('schema')!r}, this threadkeep knows {SCHEMA}: "
            "upgrade threadkeep"
        )


def _session(numbered: tuple[int, Line]) -> str:
    number, line = numbered
    session = line.get("session") if isinstance(line, Mapping) else None
    if not isinstance(session, str) or not session:
        raise InputError(f"line {number} names no session")
    return names.check(session, f"line {number}: session")


def _checked(session: str, numbered: list[tuple[int, Line]], user: str | None) -> Stored:
    (first, line), *others = numbered
    if line.get("kind") != "session" and line.get("kind") in KINDS:
        raise InputError(f"line {first}: session {session!r:.80}: its own record comes first")
    own = export_line.read(first, line, ("session",))
    if own.id != "session" or own.expires is not None:
        raise InputError(f"line {first}: a session's own record has the id 'session', and no end")
    info = item_codec.read_session(own)
    if info.id != session or info.user == "":
        raise InputError(f"line {first}: the session's own record has another id, or a wrong user")
    if user is not None and info.user is None:
        own, info = item_codec.owned(own, user), replace(info, user=user)
    if user is not None and info.user != user:
        raise InputError(f"line {first} is of another user's session")
    return Stored(info, own, list(_others(others)))


def _others(numbered: Iterable[tuple[int, Line]]) -> Iterator[Record]:
    """The records behind a session's own, each once."""
    known: set[tuple[str, str]] = set()
    for number, line in numbered:
        record = export_line.read(number, line)
        if record.kind == "session" or (record.kind, record.id) in known:
            raise InputError(f"line {number} repeats the {record.kind} of a line before")
        known.add((record.kind, record.id))
        yield record


def _pointed(engine: Engine, session: Stored) -> Iterator[Record]:
    """The records; those of responses can be found by their ids before they are there."""
    for record in session.records:
        if record.kind == ENTRY:
            response_index.adopt(engine, session.info.id, session.info.user, record)
        yield record
