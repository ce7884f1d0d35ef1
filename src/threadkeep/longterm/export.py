"""What was learned, as lines of an export; and a whole user with all their sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from threadkeep.core import body, json_text, names, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.longterm.store import codec
from threadkeep.longterm.store.unit_of_work import (
    FORGOTTEN,
    WATERMARK,
    UnitOfWork,
)
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.sessions import (
    jsonl,
    user_index,
)
from threadkeep.sessions.export_line import Line
from threadkeep.types import Query, Record
from threadkeep.types.knowledge import Fact, Instruction

_PAGE: Final = 500


def export(engine: Engine, user: str) -> Iterator[Line]:
    """A user, line by line: the header, what was learned, then session after session."""
    yield jsonl.header()
    yield from lines(engine, user)
    for session_id in sessions(engine, user):
        yield from jsonl.lines(engine, session_id)


def sessions(engine: Engine, user: str) -> Iterator[str]:
    """The ids of all sessions that are the user's, those of sub-agents too, oldest first."""
    list_stream_name = engine.stream("sessions", user)
    after_seq = 0
    while True:
        list_entries = engine.read(
            Query(list_stream_name, "session", limit=_PAGE, after=after_seq)
        )[0].records
        listed_ids = [user_index.session_id_of(list_entry) for list_entry in list_entries]
        session_pages = (
            engine.read(*(_session_query(engine, listed_id) for listed_id in listed_ids))
            if listed_ids
            else []
        )
        for listed_id, session_page in zip(listed_ids, session_pages, strict=True):
            if session_page.records and _is_owner(session_page.records[0], user):
                yield listed_id
        if len(list_entries) < _PAGE:
            return
        after_seq = list_entries[-1].seq


def _is_owner(record: Record, user: str) -> bool:
    """Whether a session is the user's; of one that cannot be read, nobody can say so."""
    try:
        return session_codec.read_session(record).user == user
    except UnreadableRecord as error:
        body.skip(record, error)
        return False


def lines(engine: Engine, user: str) -> Iterator[Line]:
    """What was learned of a user: facts and instructions of any status, and what was let go.

    Marks of what was forgotten come along, so that it is not learned again elsewhere, and how far
    the sessions were read, so that nobody pays for that twice.
    """
    unit_of_work = UserStream(engine, user=user).load()
    for fact in unit_of_work.facts.values():
        yield _line(user, codec.fact_record(fact, _created_seconds(fact)))
    for instruction in unit_of_work.instructions.values():
        yield _line(user, codec.instruction_record(instruction, _created_seconds(instruction)))
    for forgotten_id, forgotten_at in unit_of_work.forgotten.items():
        yield _line(user, Record(FORGOTTEN, forgotten_id, "{}", forgotten_at))
    for refusal in unit_of_work.refusals.values():
        refused_at = 0.0 if refusal.refused_at is None else refusal.refused_at.timestamp()
        yield _line(user, codec.refusal_record(refusal, refused_at))
    if any("/" in stream for stream in unit_of_work.watermarks):
        yield from _watermark_lines(engine, user, unit_of_work)


def _watermark_lines(engine: Engine, user: str, unit: UnitOfWork) -> Iterator[Line]:
    """How far each session was read: by the last item read, since seqs are a store's own."""
    for session in sessions(engine, user):
        watermark_json = unit.watermarks.get(engine.stream("session", session)) or "{}"
        try:
            watermark = body.parse(watermark_json, WATERMARK)
        except UnreadableRecord:
            continue  # what cannot be read was not read, for whoever learns
        if watermark.get("item"):
            watermark_fields = {
                "session": session,
                "item": watermark["item"],
                "digest": watermark.get("digest", ""),
                "again": watermark.get("again", []),
            }
            yield _line(
                user,
                Record(
                    WATERMARK, names.key(session), json_text.dumps(watermark_fields, WATERMARK), 0.0
                ),
            )


def _line(user: str, record: Record) -> Line:
    line_fields: Line = {"user": user, "kind": record.kind, "id": record.id, "at": record.at}
    if record.expires is not None:
        line_fields["expires"] = record.expires
    return {**line_fields, "body": body.parse(record.body, record.kind)}


def _session_query(engine: Engine, session: str) -> Query:
    return Query(engine.stream("session", session), "session", ids=["session"])


def _created_seconds(entry: Fact | Instruction) -> float:
    return 0.0 if entry.created_at is None else entry.created_at.timestamp()
