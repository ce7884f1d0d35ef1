"""What facts and instructions have in common: their texts, their dates, and who may be let go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from threadkeep.core import json_text, names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact, Instruction, Source
from threadkeep.types.states import STATUSES
from threadkeep.types.timestamps import parse_time

T = TypeVar("T", Fact, Instruction)

Moment = datetime | float | str

MAX_CHARACTERS: Final = 2_000
"""Characters of one fact or instruction."""


def checked_text(engine: Engine, text: object, kind: str) -> str:
    """The text as it is to be stored: one line, redacted.

    Raises:
        InputError: it is none, it is empty or too long, or the redactor refused it.
    """
    single_line = " ".join(names.check(text, "text").split())
    if not single_line:
        raise InputError("text must not be empty")
    if len(single_line) > MAX_CHARACTERS:
        raise InputError(
            f"text is {len(single_line):,} characters long, at most {MAX_CHARACTERS:,} can be "
            f"stored as one {kind}: say it shorter, or as several"
        )
    redacted_text = redacted(engine, single_line, kind)
    if not redacted_text:
        raise InputError(f"text: the redactor does not allow this {kind} to be stored")
    return redacted_text


def checked_sources(engine: Engine, sources: Iterable[object]) -> tuple[Source, ...]:
    """Sources given as such, as items of sessions in a pair with the session's id, or as dicts.

    Raises:
        InputError: one is none of these.
    """
    if isinstance(sources, (str, bytes, Mapping)) or not isinstance(sources, Iterable):
        raise InputError(f"sources must be a list, got {type(sources).__name__}")
    return tuple(_source(engine, raw_source, index) for index, raw_source in enumerate(sources))


def _source(engine: Engine, raw_source: object, index: int) -> Source:
    if isinstance(raw_source, Source):
        return raw_source
    if isinstance(raw_source, Mapping):
        try:
            return Source(**raw_source)
        except TypeError as error:
            raise InputError(f"sources[{index}] must have session and item: {error}") from error
    if isinstance(raw_source, tuple) and len(raw_source) == 2:
        session_id, item_or_id = raw_source
        item_id = item_or_id.id if isinstance(item_or_id, Item) else item_or_id
        return Source(
            names.check(session_id, f"sources[{index}]"), names.check(item_id, f"sources[{index}]")
        )
    raise InputError(
        f"sources[{index}] must be a Source, a dict of one, or a pair of session id and item, "
        f"got {type(raw_source).__name__}"
    )


def checked_status(status: object) -> Any:
    """The status, or `None` for every one.

    Raises:
        InputError: it is none.
    """
    if status is not None and status not in STATUSES:
        raise InputError(
            f"status must be one of {', '.join(STATUSES)} or None, got {shown(status)}"
        )
    return status


def checked_moment(value: Moment | None, name: str) -> datetime | None:
    """A point in time, or `None`."""
    return None if value is None else parse_time(value, name)


def checked_share(value: object, name: str) -> float:
    """A number from 0 to 1.

    Raises:
        InputError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InputError(f"{name} must be a number from 0 to 1, got {shown(value)}")
    return float(value)


def checked_metadata(metadata: object) -> dict[str, Any]:
    """A copy of metadata, if it can be stored.

    Raises:
        InputError: it is no dict of JSON.
    """
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InputError(f"metadata must be a dict, got {type(metadata).__name__}")
    metadata_copy = dict(metadata or {})
    json_text.dumps(metadata_copy, "metadata")
    return metadata_copy
