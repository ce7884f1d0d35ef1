"""Sessions as JSON lines and back: exact, page by page, each session whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from threadkeep import codec, names, pointers
from threadkeep.answer_records import ENTRY, GAP
from threadkeep.engine import Engine
from threadkeep.errors import Conflict, InputError
from threadkeep.ownership import Door
from threadkeep.types import Json, Query, Record, SessionInfo

SCHEMA: Final = 2
"""1 had sessions only."""

KINDS: Final = ("session", "file", "item", "response", ENTRY, GAP, "feedback")
_PAGE: Final = 500

Line = dict[str, Json]


def header() -> Line:
    """The first line of an export: what it is, and how to read it."""
    return {"threadkeep": "export", "schema": SCHEMA}


def lines(engine: Engine, session: str) -> Iterator[Line]:
    """A session, a line per record, its own first; nothing if there is no such session."""
    stream = engine.stream("session", session)
    for kind in KINDS:
        for record in _records(engine, stream, kind):
            yield _line(session, record)


def restore(engine: Engine, given: Iterable[tuple[int, Line]]) -> Iterator[tuple[str, bool]]:
    """Write exported sessions; yields each one's id, and whether it was new here.

    Args:
        engine: where to.
        given: numbered lines of sessions, those of one together.

    Raises:
        InputError: a line is not of an export; it is numbered. The session it belongs to is not
            there; those yielded before are.
    """
    for session, found in groupby(given, key=_session):
        yield session, _restored(engine, session, found)


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
        return body if codec.dumps(body, "body") == text else None
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
    if not isinstance(line, Mapping) or not isinstance(line.get("session"), str):
        raise InputError(f"line {number} names no session")
    return str(line["session"])


def _restored(engine: Engine, session: str, found: Iterable[tuple[int, Line]]) -> bool:
    records = (record(number, line) for number, line in found)
    own = next(records)
    info = _info(session, own)
    door = Door(engine, SessionInfo(session))
    try:
        door.begin(info, _pointed(engine, session, records), own)
    except Conflict:
        for _ in records:
            pass  # on to the next session
        return False
    return True


def _pointed(engine: Engine, session: str, records: Iterable[Record]) -> Iterator[Record]:
    """The records; those of responses can be found by their ids before they are there."""
    for record in records:
        if record.kind == ENTRY:
            pointers.adopt(engine, session, record)
        yield record


def _info(session: str, own: Record) -> SessionInfo:
    try:
        info = codec.read_session(own)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"session {session!r}: its own record cannot be read") from error
    if own.kind != "session" or info.id != session:
        raise InputError(f"session {session!r}: its own record does not come first")
    return info


def check(numbered: Iterable[tuple[int, Line]]) -> None:
    """Look at lines of sessions as `restore` would, without a store.

    Raises:
        InputError: a line is none; it is numbered.
    """
    for session, found in groupby(numbered, key=_session):
        records = [record(number, line) for number, line in found]
        _info(session, records[0])


def record(number: int, line: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> Record:
    """The record of a line.

    Raises:
        InputError: it is of another kind, or wrong; the line is numbered.
    """
    kind, id, at, expires = (line.get(key) for key in ("kind", "id", "at", "expires"))
    if kind not in kinds or not names.is_key(id) or not _time(at) or at is None:
        raise InputError(f"line {number} is no record: kind, id or at is missing or wrong")
    if not _time(expires):
        raise InputError(f"line {number}: expires must be epoch seconds")
    body = line["text"] if "text" in line else codec.dumps(line.get("body"), f"line {number}")
    if not isinstance(body, str):
        raise InputError(f"line {number}: text must be a text")
    return Record(str(kind), str(id), body, float(at), expires)


def _time(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or number
