"""Facts and instructions as records and back: strict on write, tolerant on read; and their ids."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar

from threadkeep.core import body, json_text, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.shape import Check
from threadkeep.core.suggestions import suggest_for_values
from threadkeep.types import Json, Record
from threadkeep.types.knowledge import Fact, Instruction, Refusal, Source
from threadkeep.types.timestamps import utc_datetime

suggest_for_values(Fact, Instruction)  # whoever has one got it from here

T = TypeVar("T", Fact, Instruction, Refusal)

_STOPS: Final = ".!;, \u3002\uff01\uff0c\u3001\uff1b\u0964\u0965\u06d4\u061b\u060c\u1362"
"""What ends a sentence without changing it, in any script; no question mark."""

_ID_DIGITS: Final = 24  # of sixteen values each: 96 bits, for the few thousand texts of one user


def identity(kind: str, text: str, *scope: str | None) -> str:
    """The id of a text (at a place): the same for texts that differ in case, space or a stop."""
    identity_text = "\0".join([kind, normalised(text), *(scope_part or "" for scope_part in scope)])
    return hashlib.sha256(identity_text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_DIGITS]


def normalised(text: str) -> str:
    """The text without what does not change its sense."""
    folded_text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded_text.rstrip(_STOPS) or folded_text


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


def refusal_record(refusal: Refusal, now: float) -> Record:
    """The record of a refusal.

    Raises:
        InputError: it is too large to be stored.
    """
    return _record("refused", refusal, now)


def read_refusal(record: Record) -> Refusal | None:
    """The refusal of a record, or `None` (logged once) if it cannot be read."""
    return _read(Refusal, record)


def read_fact(record: Record) -> Fact | None:
    """The fact of a record, or `None` (logged once) if it cannot be read."""
    return _read(Fact, record)


def read_instruction(record: Record) -> Instruction | None:
    """The instruction of a record, or `None` (logged once) if it cannot be read."""
    return _read(Instruction, record)


def _record(kind: str, entry: Fact | Instruction | Refusal, now: float) -> Record:
    field_values: dict[str, Json] = {}
    for field in fields(entry):
        if field.name in _RECORD_FIELDS:
            continue
        field_value = getattr(entry, field.name)
        if field_value not in (field.default, {}):
            field_values[field.name] = _encode(field_value)
    if isinstance(entry, Refusal):
        return Record(kind, entry.id, json_text.checked(field_values, _SHAPES[kind], kind), now)
    field_values.setdefault("created_at", now)
    expires_at = None if entry.expires_at is None else entry.expires_at.timestamp()
    return Record(
        kind, entry.id, json_text.checked(field_values, _SHAPES[kind], kind), now, expires_at
    )


def _encode(value: Any) -> Json:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, tuple):
        return [_source_body(source) for source in value]
    return dict(value) if isinstance(value, Mapping) else value


def _source_body(source: Source) -> Json:
    name_value_pairs = ((field.name, getattr(source, field.name)) for field in fields(source))
    return {field_name: value for field_name, value in name_value_pairs if value}


def decode_fact(record: Record) -> Fact:
    """The fact of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    return _decode(Fact, record)


def decode_instruction(record: Record) -> Instruction:
    """The instruction of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    return _decode(Instruction, record)


def decode_refusal(record: Record) -> Refusal:
    """The refusal of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    return _decode(Refusal, record)


def _read(cls: type[T], record: Record) -> T | None:
    try:
        return _decode(cls, record)
    except UnreadableRecord as error:
        body.skip(record, error)
        return None


def _decode(cls: type[T], record: Record) -> T:
    json_fields = body.decode(record, _SHAPES[record.kind])
    decoded_fields = {
        field_name: _decode_field(field_name, value)
        for field_name, value in json_fields.items()
        if field_name in _BODY_FIELDS[cls]
    }
    if issubclass(cls, Refusal):
        return cls(id=record.id, **decoded_fields)
    expires_at = None if record.expires is None else utc_datetime(record.expires)
    return cls(id=record.id, seq=record.seq, expires_at=expires_at, **decoded_fields)


_RECORD_FIELDS: Final = frozenset({"id", "seq", "expires_at"})  # stand in the record itself
_BODY_FIELDS: Final = {
    cls: frozenset(field.name for field in fields(cls)) - _RECORD_FIELDS
    for cls in (Fact, Instruction, Refusal)
}
"""Fields that a body may say: what a later version adds is passed over."""


def _decode_field(field_name: str, value: Json) -> Any:
    decoder: Callable[[Json], Any] | None = _DECODERS.get(field_name)
    return value if decoder is None else decoder(value)


def _sources(value: Json) -> tuple[Source, ...]:
    return tuple(
        Source(**{key: field_value for key, field_value in source.items() if key in _SOURCE_FIELDS})
        for source in value
    )


def _time(value: float | None) -> datetime | None:
    return None if value is None else utc_datetime(value)


_SOURCE_FIELDS: Final = frozenset(field.name for field in fields(Source))
_SHAPES: Final[Mapping[str, Check]] = {
    "fact": record_shapes.FACT,
    "instruction": record_shapes.INSTRUCTION,
    "refused": record_shapes.REFUSED,
}
_DECODERS: Final[Mapping[str, Callable[[Json], Any]]] = {
    "sources": _sources,
    **dict.fromkeys(("observed_at", "first_observed_at", "refused_at"), _time),
    **dict.fromkeys(("valid_from", "valid_to", "created_at"), _time),
}
