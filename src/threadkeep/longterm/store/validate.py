"""What facts and instructions have in common: their texts, their dates, and who may be let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.errors import InputError
from threadkeep.types import Item
from threadkeep.types.knowledge import (
    STATUSES,
    Fact,
    Instruction,
    Source,
)
from threadkeep.types.timestamps import when

T = TypeVar("T", Fact, Instruction)

Moment = datetime | float | str

LONGEST: Final = 2_000
"""Characters of one fact or instruction."""


def checked_text(engine: Engine, text: object, kind: str) -> str:
    """The text as it is to be stored: one line, redacted.

    Raises:
        InputError: it is none, it is empty or too long, or the redactor refused it.
    """
    told = " ".join(names.check(text, "text").split())
    if not told:
        raise InputError("text must not be empty")
    if len(told) > LONGEST:
        raise InputError(
            f"text is {len(told):,} characters long, at most {LONGEST:,} can be stored as one "
            f"{kind}: say it shorter, or as several"
        )
    left = redacted(engine, told, kind)
    if not left:
        raise InputError(f"text: the redactor does not allow this {kind} to be stored")
    return left


def checked_sources(engine: Engine, given: Iterable[object]) -> tuple[Source, ...]:
    """Sources given as such, as items of sessions in a pair with the session's id, or as dicts.

    Raises:
        InputError: one is none of these.
    """
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"sources must be a list, got {type(given).__name__}")
    return tuple(_source(engine, one, n) for n, one in enumerate(given))


def _source(engine: Engine, given: object, n: int) -> Source:
    if isinstance(given, Source):
        return given
    if isinstance(given, Mapping):
        try:
            given = Source(**given)
        except TypeError as error:
            raise InputError(f"sources[{n}] must have session and item: {error}") from error
        return _source(engine, given, n)
    if isinstance(given, tuple) and len(given) == 2:
        session, item = given
        named = item.id if isinstance(item, Item) else item
        return Source(names.check(session, f"sources[{n}]"), names.check(named, f"sources[{n}]"))
    raise InputError(
        f"sources[{n}] must be a Source, a dict of one, or a pair of session id and item, "
        f"got {type(given).__name__}"
    )


def checked_status(status: object) -> Any:
    """The status, or `None` for every one.

    Raises:
        InputError: it is none.
    """
    if status is not None and status not in STATUSES:
        raise InputError(f"status must be one of {', '.join(STATUSES)} or None, got {status!r}")
    return status


def checked_moment(given: Moment | None, where: str) -> datetime | None:
    """A point in time, or `None`."""
    return None if given is None else when(given, where)


def checked_share(value: object, where: str) -> float:
    """A number from 0 to 1.

    Raises:
        InputError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InputError(f"{where} must be a number from 0 to 1, got {value!r}")
    return float(value)


def surplus(known: Mapping[str, T], most: int, worth: Callable[[T], Any]) -> list[str]:
    """The ids of those to let go, so that no more than `most` are left: the least worth first.

    Pinned ones are never among them.
    """
    loose = sorted((one for one in known.values() if not one.pinned), key=worth)
    return [one.id for one in loose[: max(0, len(known) - most)]]
