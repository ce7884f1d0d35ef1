"""Lines of an export, checked and written back: what was learned, and whole users."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

from threadkeep.core import body, json_text, names, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.errors import InputError
from threadkeep.longterm.store import codec
from threadkeep.longterm.store.unit_of_work import (
    FACT,
    FORGOTTEN,
    INSTRUCTION,
    REFUSED,
    USER,
    WATERMARK,
    UnitOfWork,
)
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.printable import shown
from threadkeep.sessions import (
    export_line,
    jsonl,
)
from threadkeep.sessions.export_line import Line
from threadkeep.sessions.jsonl import CheckedSession
from threadkeep.types import Json, Record
from threadkeep.types.batching import batches
from threadkeep.types.knowledge import Fact, Instruction

T = TypeVar("T")

_MAX_AGAIN: Final = 1_000
_MARKS: Final = (FORGOTTEN, REFUSED, WATERMARK)


class Restored(NamedTuple):
    """What became of a session, or of a run of lines on one user: how much was new."""

    session: str | None
    user: str | None
    new: int


class Mark(NamedTuple):
    """What is known beside facts: what was forgotten, refused, and read.

    Attributes:
        session: whose watermark it is.
    """

    record: Record
    session: str = ""


class UserEntries(NamedTuple):
    """A run of lines on one user, as it will be written."""

    user: str
    entries: list[Fact | Instruction | Mark]


def checked(
    numbered_lines: Iterable[tuple[int, Line]], user: str | None = None
) -> Iterator[CheckedSession | UserEntries]:
    """What lines of an export stand for, as it will be written; without a store.

    Args:
        numbered_lines: numbered lines, the header first, the lines of a session together.
        user: whose all of it must be; a session without an owner becomes theirs. `None` =
            anybody's.

    Raises:
        InputError: a line is not of an export, or is somebody else's; it is numbered.
    """
    line_iterator = iter(numbered_lines)
    jsonl.check_header(next(line_iterator, (0, {}))[1])
    for owner_id, owner_lines in groupby(line_iterator, key=lambda pair: _owner(*pair)):
        if owner_id is None:
            yield from jsonl.sessions(owner_lines, user)
        else:
            yield from _user_entries(owner_id, owner_lines, user)


def restore(
    engine: Engine, entries: Iterable[CheckedSession | UserEntries], *, keep_forgotten: bool = True
) -> Iterator[Restored]:
    """Write what was checked: what is there already stays as it is; says what became of each.

    Args:
        engine: of the store.
        entries: what was checked.
        keep_forgotten: whether what was forgotten, there or here, stays so.
    """
    for entry in entries:
        if isinstance(entry, CheckedSession):
            yield Restored(entry.info.id, None, int(jsonl.write(engine, entry)))
        else:
            yield Restored(None, entry.user, _put(engine, *entry, keep_forgotten))


def restore_user(
    engine: Engine, user: str, text: str | Iterable[str], *, keep_forgotten: bool = True
) -> int:
    """As `User.restore`: all of it is looked at before any of it is written."""
    checked_entries = list(checked(_parsed(text), user))
    return sum(
        outcome.new for outcome in restore(engine, checked_entries, keep_forgotten=keep_forgotten)
    )


def _owner(number: int, line: Line) -> str | None:
    """Whose a line is that is of no session."""
    owner_id = line.get("user")
    if owner_id is not None and not (isinstance(owner_id, str) and owner_id):
        raise InputError(f"line {number}: user must be a text")
    if owner_id is not None and "session" in line:
        raise InputError(f"line {number} names a session and a user; a line is of one of them")
    return None if owner_id is None else names.check(owner_id, "user")


def _user_entries(
    owner: str, numbered_lines: Iterable[tuple[int, Line]], user: str | None
) -> Iterator[UserEntries]:
    """A run of lines on a user, in parts that one commit can take."""
    entry_by_line = {}
    for number, line_fields in numbered_lines:
        if user not in (None, owner):
            raise InputError(f"line {number} is of another user")
        entry_by_line[number] = _read(number, line_fields)
    entry_by_record = {id(record): entry for record, entry in entry_by_line.values()}
    for record_batch in batches(record for record, _ in entry_by_line.values()):
        yield UserEntries(owner, [entry_by_record[id(record)] for record in record_batch])


def _put(
    engine: Engine, user: str, batch: list[Fact | Instruction | Mark], keep_forgotten: bool
) -> int:
    def step(unit: UnitOfWork) -> int:
        count_before = len(unit.facts) + len(unit.instructions)
        for entry in batch:
            if isinstance(entry, Mark):
                _put_mark(engine, unit, entry, keep_forgotten)
            elif keep_forgotten and entry.id in unit.forgotten:
                continue
            elif isinstance(entry, Fact):
                unit.facts.get(entry.id) or unit.put_fact(entry)
            else:
                unit.instructions.get(entry.id) or unit.put_instruction(entry)
        return len(unit.facts) + len(unit.instructions) - count_before

    return UserStream(engine, user=user).transact(step)


def _put_mark(engine: Engine, unit: UnitOfWork, mark: Mark, keep_forgotten: bool) -> None:
    record = mark.record
    if record.kind == FORGOTTEN:
        is_known = record.id in unit.facts or record.id in unit.instructions
        if keep_forgotten and not is_known and record.id not in unit.forgotten:
            unit.mark_forgotten(record.id, record.at)
    elif record.kind == REFUSED:
        refusal = codec.read_refusal(record)
        if refusal is not None and refusal.id not in unit.refusals:
            unit.put_refusal(refusal)
    else:
        watermark_key = engine.stream("session", mark.session)
        if watermark_key not in unit.watermarks:
            unit.put_watermark(watermark_key, record.body)


def _read(number: int, line: Line) -> tuple[Record, Fact | Instruction | Mark]:
    """What a line says, and the record that it will be."""
    record = export_line.read(number, line, (FACT, INSTRUCTION, *_MARKS))
    if record.id == USER:  # forgetting it would be forgetting all
        raise InputError(f"line {number}: no {record.kind} can have the id {shown(USER)}")
    if record.kind in _MARKS:
        return record, _read_mark(number, record)
    is_fact = record.kind == FACT
    entry: Fact | Instruction = (
        _decoded(number, codec.decode_fact, record)
        if is_fact
        else _decoded(number, codec.decode_instruction, record)
    )
    if isinstance(entry, Fact):
        return codec.fact_record(entry, record.at), entry
    return codec.instruction_record(entry, record.at), entry


def _read_mark(number: int, record: Record) -> Mark:
    """What a line says beside facts and instructions.

    Raises:
        InputError: it cannot be read.
    """
    if record.kind == FORGOTTEN:
        return Mark(record)
    if record.kind == REFUSED:
        return Mark(codec.refusal_record(_decoded(number, codec.decode_refusal, record), record.at))
    line_fields = _decoded(number, _decode_mark, record)
    if not names.is_key(line_fields["item"]):
        raise InputError(f"line {number}: the watermark names no item")
    watermark = {
        "item": line_fields["item"],
        "digest": line_fields["digest"][:64],
        "again": line_fields.get("again", [])[:_MAX_AGAIN],
    }
    watermark_json = json_text.dumps(watermark, "watermark")
    return Mark(replace(record, body=watermark_json), line_fields["session"])


def _decode_mark(record: Record) -> dict[str, Json]:
    return body.decode(record, record_shapes.WATERMARK_LINE)


def _decoded(number: int, decode: Callable[[Record], T], record: Record) -> T:
    """What a record says.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return decode(record)
    except UnreadableRecord as error:
        raise InputError(f"line {number}: {error}") from None


def _parsed(text: str | Iterable[str]) -> Iterator[tuple[int, Line]]:
    text_lines = text.split("\n") if isinstance(text, str) else text
    if not isinstance(text_lines, Iterable):
        raise InputError(f"lines must be a str or an iterable of them, got {type(text).__name__}")
    for line_number, line_text in enumerate(text_lines, start=1):
        if not isinstance(line_text, str):
            raise InputError(f"line {line_number} must be a str, got {type(line_text).__name__}")
        if line_text.strip():
            yield line_number, export_line.parse(line_number, line_text)
