"""Exports and imports sessions as JSON lines, exactly; each session is imported whole or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Final, NamedTuple

from threadkeep.core import body, json_text, names, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.pages import all_records
from threadkeep.core.response_codec import ENTRY
from threadkeep.errors import Conflict, CorruptRecord, InputError
from threadkeep.printable import shown
from threadkeep.sessions import blob_copy, blobs, checkpoint_lines, export_line, response_index
from threadkeep.sessions.checkpoint_lines import CheckpointRecord
from threadkeep.sessions.create import create_session
from threadkeep.sessions.export_line import KINDS, SESSION_KINDS, Line
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Json, Record, SessionInfo

SCHEMA: Final = 2
"""Schema 1 had sessions only."""


class CheckedSession(NamedTuple):
    """A validated session, ready to be written.

    Attributes:
        info: the content of its `session` record.
        session_entry: its `session` record.
        records: all other records, in order.
        checkpoints: the records of its checkpoints.
    """

    info: SessionInfo
    session_entry: Record
    records: list[Record]
    checkpoints: list[CheckpointRecord]


def header() -> Line:
    """The first line of an export, with its schema."""
    return {"threadkeep": "export", "schema": SCHEMA}


def lines(engine: Engine, session: str) -> Iterator[Line]:
    """The lines of a session, one per record, the `session` record first; none if it is missing.

    Those of the large parts of its items come last.
    """
    session_stream_name = engine.stream("session", session)
    has_no_records = True
    for record_kind in SESSION_KINDS:
        for record in all_records(engine, session_stream_name, record_kind):
            has_no_records = False
            yield _line(session, record)
    for record in () if has_no_records else blob_copy.records(engine, session):
        yield _line(session, record)
    for namespace, record in () if has_no_records else checkpoint_lines.records(engine, session):
        yield {**_line(session, record), checkpoint_lines.FIELD: namespace}


def sessions(numbered: Iterable[tuple[int, Line]], user: str | None) -> Iterator[CheckedSession]:
    """Validate the sessions of an export; needs no store.

    Args:
        numbered: numbered lines, those of one session together.
        user: the required owner; a session without an owner gets this one. `None` = any.

    Raises:
        InputError: a line is not valid, or belongs to another user; its number is named.
    """
    for session_id, session_lines in groupby(numbered, key=_session):
        yield _check_session(session_id, list(session_lines), user)


def write(engine: Engine, session: CheckedSession) -> bool:
    """Write a session, whole or not at all. Returns True if it was new."""
    stream = SessionStream(engine, SessionInfo(session.info.id))
    try:
        if stream.read().info is None:  # first: the session completes them
            blob_copy.restore(engine, session.info.id, _blob_records(session))
            if session.checkpoints:
                owner_id = session.info.user
                checkpoint_lines.write(engine, session.info.id, owner_id, session.checkpoints)
        create_session(stream, session.info, _with_pointers(engine, session), session.session_entry)
    except (Conflict, CorruptRecord):  # an existing session stays, even an unreadable one
        return False
    return True


def _line(session: str, record: Record) -> Line:
    line: Line = {"session": session, "kind": record.kind, "id": record.id, "at": record.at}
    if record.expires is not None:
        line["expires"] = record.expires
    body_fields = _exact_fields(record)
    return {**line, "text": record.body} if body_fields is None else {**line, "body": body_fields}


def _exact_fields(record: Record) -> Json:
    """The fields of a body; `None` if it cannot be read, or would not be the same text again.

    What cannot be read is exported as it is, since a later version may read it.
    """
    try:
        export_line.check_record(record, "body")
        body_fields = body.parse(record.body, record.kind)
        return body_fields if json_text.dumps(body_fields, "body") == record.body else None
    except UnreadableRecord as error:
        body.skip(record, error)
    except InputError as error:
        body.report(record.kind, record.id, str(error).removeprefix("body: "))
    return None


def check_header(first: Line) -> None:
    """Check the first line of an export.

    Raises:
        InputError: it is no export, or one of a later version.
    """
    if first.get("threadkeep") != "export":
        raise InputError("this is not an export of threadkeep: its first line does not say so")
    if type(first.get("schema")) is not int or not 1 <= first["schema"] <= SCHEMA:
        raise InputError(
            f"the export has schema {shown(first.get('schema'))}, this threadkeep knows {SCHEMA}: "
            "upgrade threadkeep"
        )


def _session(numbered_line: tuple[int, Line]) -> str:
    line_number, line_fields = numbered_line
    session_id = line_fields.get("session") if isinstance(line_fields, Mapping) else None
    if not isinstance(session_id, str) or not session_id:
        raise InputError(f"line {line_number} names no session")
    return names.check(session_id, f"line {line_number}: session")


def _check_session(
    session: str, numbered_lines: list[tuple[int, Line]], user: str | None
) -> CheckedSession:
    (first_number, first_line), *other_lines = numbered_lines
    record, session_info = _check_session_record(session, first_number, first_line, user)
    checkpoint_field = checkpoint_lines.FIELD
    record_pairs = [(number, line) for number, line in other_lines if checkpoint_field not in line]
    checkpoints = [
        checkpoint_lines.read(number, line)
        for number, line in other_lines
        if checkpoint_field in line
    ]
    return CheckedSession(session_info, record, list(_other_records(record_pairs)), checkpoints)


def _check_session_record(
    session: str, number: int, line: Line, user: str | None
) -> tuple[Record, SessionInfo]:
    """The first line of a session as its own record, which has the required owner."""
    if line.get("kind") != "session" and line.get("kind") in KINDS:
        raise InputError(f"line {number}: session {shown(session)}: its own record comes first")
    record = export_line.read(number, line, ("session",))
    if record.id != "session" or record.expires is not None:
        raise InputError(f"line {number}: a session's own record has the id 'session', and no end")
    info = session_codec.read_session(record)  # which `read` has checked
    if info.id != session or info.user == "":
        raise InputError(f"line {number}: the session's own record has another id, or a wrong user")
    if user is not None and info.user is None:
        record, info = session_codec.with_owner(record, user), replace(info, user=user)
    if user is not None and info.user != user:
        raise InputError(f"line {number} is of another user's session")
    return record, info


def _other_records(numbered_lines: Iterable[tuple[int, Line]]) -> Iterator[Record]:
    """The records after the `session` record, which must be distinct."""
    seen_kinds_and_ids: set[tuple[str, str]] = set()
    for line_number, line_fields in numbered_lines:
        record = export_line.read(line_number, line_fields)
        if record.kind == "session" or (record.kind, record.id) in seen_kinds_and_ids:
            raise InputError(f"line {line_number} repeats the {record.kind} of a line before")
        seen_kinds_and_ids.add((record.kind, record.id))
        yield record


def _with_pointers(engine: Engine, session: CheckedSession) -> Iterator[Record]:
    """Yield the records; the pointer of a response is written before its record."""
    for record in session.records:
        if record.kind == ENTRY:
            response_index.adopt_pointer(engine, session.info.id, session.info.user, record)
        if record.kind in SESSION_KINDS:
            yield record


def _blob_records(session: CheckedSession) -> Iterator[Record]:
    """The records of large parts, for the owner of the session."""
    for record in session.records:
        if record.kind == blobs.PIECE:
            yield record
        elif record.kind == blobs.BLOB:
            blob_fields = {**body.parse(record.body, record.kind), "user": session.info.user}
            yield replace(record, body=json_text.dumps(blob_fields, "blob"))
