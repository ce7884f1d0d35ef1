"""Checks of JSON values that name the first wrong field, composed to shapes of whole bodies.

A check takes a value and returns `None`, or a `Fault`. Fields that a shape does not name are
accepted, since a later version may write them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from threadkeep.types import MAX_SEQ, Json
from threadkeep.types.timestamps import utc_datetime


class Fault(NamedTuple):
    """What is wrong with a value: the path of the part, what it must be, what was found."""

    path: str
    expected: str
    actual: Json

    def within(self, key: str | int) -> Fault:
        """The same fault, seen from the object or list around it."""
        path_step = f"[{key}]" if isinstance(key, int) else key
        path_separator = "." if self.path and self.path[0] != "[" else ""
        return self._replace(path=f"{path_step}{path_separator}{self.path}")


Check = Callable[[Json], Fault | None]


def anything(value: Json) -> None:
    """Accept any JSON."""


def text(value: Json) -> Fault | None:
    return None if type(value) is str else Fault("", "a text", value)


def nonempty(value: Json) -> Fault | None:
    return None if type(value) is str and value else Fault("", "a text that is not empty", value)


def flag(value: Json) -> Fault | None:
    return None if type(value) is bool else Fault("", "true or false", value)


def count(value: Json) -> Fault | None:
    """A whole number of at least 0, as seqs and token counts are."""
    if type(value) is int and 0 <= value <= _MAX_COUNT:
        return None
    return Fault("", "a whole number of at least 0", value)


def moment(value: Json) -> Fault | None:
    """Epoch seconds that a datetime can represent."""
    if type(value) is int or type(value) is float:
        try:
            utc_datetime(value)
        except (ValueError, OverflowError, OSError):
            return Fault("", "a time from year 1 to 9999", value)
        return None
    return Fault("", "epoch seconds", value)


def number(value: Json) -> Fault | None:
    return None if type(value) is int or type(value) is float else Fault("", "a number", value)


def share(value: Json) -> Fault | None:
    if number(value) is None and 0 <= value <= 1:
        return None
    return Fault("", "a number from 0 to 1", value)


def mapping(value: Json) -> Fault | None:
    return None if type(value) is dict else Fault("", "an object", value)


def absent(value: Json) -> Fault | None:
    """A field that the record itself implies, so that no body may have it."""
    return Fault("", "left out", value)


def optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def one_of(values: Collection[str]) -> Check:
    allowed_values, expectation = frozenset(values), f"one of {', '.join(sorted(values))}"
    return lambda value: (
        None if type(value) is str and value in allowed_values else Fault("", expectation, value)
    )


def either(first: Check, second: Check, expected: str) -> Check:
    """A value of one of two types; a fault within the second one is named by its own path."""

    def check(value: Json) -> Fault | None:
        if first(value) is None:
            return None
        fault = second(value)
        return fault if fault is None or fault.path else Fault("", expected, value)

    return check


def list_of(entry: Check, length: int | None = None) -> Check:
    def check(value: Json) -> Fault | None:
        if type(value) is not list or length not in (None, len(value)):
            return Fault("", "a list" if length is None else f"a list of {length}", value)
        for index, list_entry in enumerate(value):
            if (fault := entry(list_entry)) is not None:
                return fault.within(index)
        return None

    return check


def fields(required: Mapping[str, Check], others: Mapping[str, Check] = {}) -> Check:
    """An object with these fields, and perhaps others."""
    check_by_key, required_keys = {**required, **others}, required.keys()

    def check(value: Json) -> Fault | None:
        if type(value) is not dict:
            return Fault("", "an object", value)
        for key, field_value in value.items():
            field_check = check_by_key.get(key)
            if field_check is not None and (fault := field_check(field_value)) is not None:
                return fault.within(key)
        missing_key = next((key for key in required_keys if key not in value), None)
        return None if missing_key is None else Fault(missing_key, "present", None)

    return check


_MAX_COUNT: Final = MAX_SEQ**2
