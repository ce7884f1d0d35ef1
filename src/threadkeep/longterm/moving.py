"""What was learned, as lines of an export and back; and a whole user with all their sessions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import Final, NamedTuple

from threadkeep import codec, listing, transfer
from threadkeep.engine import Engine
from threadkeep.errors import InputError
from threadkeep.learned import Fact, Instruction
from threadkeep.longterm import records
from threadkeep.longterm.held import FACT, INSTRUCTION, USER, Held
from threadkeep.longterm.homes import Home
from threadkeep.transfer import Line
from threadkeep.types import Query, Record

_AT_ONCE: Final = 500
_PAGE: Final = 500


class Restored(NamedTuple):
    """What became of a session, or of a run of lines on one user: how much was new."""

    session: str | None
    user: str | None
    new: int


def export(engine: Engine, user: str) -> Iterator[Line]:
    """A user, line by line: the header, what was learned, then session after session."""
    yield transfer.header()
    yield from lines(engine, user)
    for session in sessions(engine, user):
        yield from transfer.lines(engine, session)


def sessions(engine: Engine, user: str) -> Iterator[str]:
    """The ids of all sessions that are the user's, those of sub-agents too, oldest first."""
    stream = engine.stream("sessions", user)
    after = 0
    while True:
        found = engine.read(Query(stream, "session", limit=_PAGE, after=after))[0].records
        ids = [listing.named(entry) for entry in found]
        owns = engine.read(*(_own(engine, id) for id in ids)) if ids else []
        for id, own in zip(ids, owns, strict=True):
            if own.records and codec.read_session(own.records[0]).user == user:
                yield id
        if len(found) < _PAGE:
            return
        after = found[-1].seq


def lines(engine: Engine, user: str) -> Iterator[Line]:
    """What was learned of a user: facts and instructions of any status."""
    found = Home(engine, user=user).look()
    for fact in found.facts.values():
        yield _line(user, records.fact_record(fact, _at(fact)))
    for instruction in found.instructions.values():
        yield _line(user, records.instruction_record(instruction, _at(instruction)))


def restore(engine: Engine, given: Iterable[tuple[int, Line]]) -> Iterator[Restored]:
    """Write what was exported: what is there already stays as it is; says what became of each.

    Args:
        engine: where to.
        given: numbered lines, the header first, the lines of a session together.

    Raises:
        InputError: a line is not of an export; it is numbered. What was said before is stored.
    """
    numbered = iter(given)
    transfer.check_header(next(numbered, (0, {}))[1])
    for whose, found in groupby(numbered, key=lambda one: one[1].get("user")):
        if whose is None:
            for session, fresh in transfer.restore(engine, found):
                yield Restored(session, None, int(fresh))
        else:
            yield Restored(None, str(whose), _restored(engine, found))


def restore_user(engine: Engine, user: str, text: str | Iterable[str]) -> int:
    """As `User.restore`: all of it is looked at before any of it is written."""
    numbered = list(_parsed(text))
    for number, line in numbered[1:]:
        if "user" in line:
            _read(number, line)
        if _owner(line) not in (None, user):
            raise InputError(f"line {number} is of another user, or of a session of theirs")
    transfer.check(one for one in numbered[1:] if "user" not in one[1])
    return sum(one.new for one in restore(engine, numbered))


def _restored(engine: Engine, given: Iterable[tuple[int, Line]]) -> int:
    numbered = iter(given)
    new = 0
    while batch := list(islice(numbered, _AT_ONCE)):
        read = [_read(number, line) for number, line in batch]
        new += _put(engine, str(batch[0][1]["user"]), read)
    return new


def _put(engine: Engine, user: str, batch: list[Fact | Instruction]) -> int:
    def step(found: Held) -> int:
        before = len(found.facts) + len(found.instructions)
        for one in batch:
            if isinstance(one, Fact):
                found.facts.get(one.id) or found.put_fact(one)
            else:
                found.instructions.get(one.id) or found.put_instruction(one)
        return len(found.facts) + len(found.instructions) - before

    return Home(engine, user=user).settle(step)


def _read(number: int, line: Line) -> Fact | Instruction:
    record = transfer.record(number, line, (FACT, INSTRUCTION))
    said = records.read_fact(record) if record.kind == FACT else records.read_instruction(record)
    if said is None or not isinstance(line["user"], str) or not line["user"]:
        raise InputError(f"line {number}: the {record.kind} or its user cannot be read")
    if said.id == USER:  # forgetting it would be forgetting all
        raise InputError(f"line {number}: no {record.kind} can have the id {USER!r}")
    return said


def _line(user: str, record: Record) -> Line:
    said: Line = {"user": user, "kind": record.kind, "id": record.id, "at": record.at}
    if record.expires is not None:
        said["expires"] = record.expires
    return {**said, "body": json.loads(record.body)}


def _own(engine: Engine, session: str) -> Query:
    return Query(engine.stream("session", session), "session", ids=["session"])


def _at(one: Fact | Instruction) -> float:
    return 0.0 if one.created_at is None else one.created_at.timestamp()


def _parsed(text: str | Iterable[str]) -> Iterator[tuple[int, Line]]:
    given = text.split("\n") if isinstance(text, str) else text
    if not isinstance(given, Iterable):
        raise InputError(f"lines must be a str or an iterable of them, got {type(text).__name__}")
    for number, one in enumerate(given, start=1):
        if not isinstance(one, str):
            raise InputError(f"line {number} must be a str, got {type(one).__name__}")
        if not one.strip():
            continue
        try:
            line = json.loads(one)
        except ValueError as error:
            raise InputError(f"line {number} is not JSON") from error
        if not isinstance(line, Mapping):
            raise InputError(f"line {number} is not a JSON object")
        yield number, dict(line)


def _owner(line: Line) -> object:
    """Whose a line is, if it says so: what was learned, and a session's own record."""
    if line.get("kind") != "session":
        return line.get("user")
    body = line.get("body")
    return body.get("user") if isinstance(body, Mapping) else ""
