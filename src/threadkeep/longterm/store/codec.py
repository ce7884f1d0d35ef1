"""Facts and instructions as records and back: strict on write, tolerant on read; and their ids."""

from __future__ import annotations

import functools
import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar

from threadkeep.core import item_codec
from threadkeep.types import Json, Record
from threadkeep.types.knowledge import Fact, Instruction, Source
from threadkeep.types.timestamps import moment

T = TypeVar("T", Fact, Instruction)

_DIGITS: Final = 24  # of sixteen values each: 96 bits, for the few thousand texts of one user


def identity(kind: str, text: str, *place: str | None) -> str:
    """The id of a text (at a place): the same for texts that differ in case, space or a stop."""
    whole = "\0".join([kind, normalised(text), *(name or "" for name in place)])
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def normalised(text: str) -> str:
    """The text without what does not change its sense."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.rstrip(".!;, ") or folded


def fact_record(fact: Fact, now: float) -> Record:
    """The record of a fact; it expires when the fact does.

    Raises:
        InputError: it is too large to be stored.
    """
    return _record("fact", fact, now)


def instruction_record(instruction: Instruction, now: float) -> Record:
    """The record of an instruction; it expires when the instruction does.

    Raises:
        InputError: it is too large to be stored.
    """
    return _record("instruction", instruction, now)


def read_fact(record: Record) -> Fact | None:
    """The fact of a record, or `None` (logged once) if it cannot be read."""
    return _read(Fact, record)


def read_instruction(record: Record) -> Instruction | None:
    """The instruction of a record, or `None` (logged once) if it cannot be read."""
    return _read(Instruction, record)


def _record(kind: str, said: Fact | Instruction, now: float) -> Record:
    body: dict[str, Json] = {}
    for field in fields(said):
        if field.name in _ELSEWHERE:
            continue
        value = getattr(said, field.name)
        if value != field.default:
            body[field.name] = _plain(value)
    body.setdefault("created_at", now)
    expires = None if said.expires_at is None else said.expires_at.timestamp()
    return Record(kind, said.id, item_codec.dumps(body, kind), now, expires)


def _plain(value: Any) -> Json:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, tuple):
        return [_source_body(source) for source in value]
    return value


def _source_body(source: Source) -> Json:
    named = ((field.name, getattr(source, field.name)) for field in fields(source))
    return {name: value for name, value in named if value}


def _read(cls: type[T], record: Record) -> T | None:
    try:
        body = json.loads(record.body)
        told = {name: _rich(name, value) for name, value in body.items() if name in _KNOWN[cls]}
        expires = None if record.expires is None else moment(record.expires)
        return cls(id=record.id, seq=record.seq, expires_at=expires, **told)
    except item_codec.BROKEN as error:
        _report(record.kind, record.id, type(error).__name__)
        return None


_ELSEWHERE: Final = frozenset({"id", "seq", "expires_at"})  # stand in the record itself
_KNOWN: Final = {
    cls: frozenset(field.name for field in fields(cls)) - _ELSEWHERE for cls in (Fact, Instruction)
}
"""Fields that a body may say: what a later version adds is passed over."""


def _rich(name: str, value: Json) -> Any:
    read: Callable[[Json], Any] | None = _READ.get(name)
    return value if read is None else read(value)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _sources(value: Json) -> tuple[Source, ...]:
    return tuple(Source(**one) for one in value)


_READ: Final[Mapping[str, Callable[[Json], Any]]] = {
    "text": _text,
    "sources": _sources,
    "observed_at": moment,
    "valid_from": moment,
    "valid_to": moment,
    "created_at": moment,
}


@functools.lru_cache(maxsize=1_024)
def _report(kind: str, key: str, reason: str) -> None:
    import logging  # rarely needed

    logging.getLogger("threadkeep").warning(
        "skipped an unreadable %s record %r (%s)", kind, key, reason
    )
