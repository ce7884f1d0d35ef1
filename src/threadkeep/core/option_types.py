"""The types of options: how a value, or its text, is parsed, and its limits in words."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from threadkeep.errors import ConfigError

_MAX_SECONDS: Final = 10_000_000_000  # three centuries: dates end not much later
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw]?)\s*", re.ASCII)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_FLAGS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


class OptionType(NamedTuple):
    """A type of option.

    Attributes:
        expected: what a value must be, in words; follows "must be".
        parse: returns the parsed value; raises ValueError or TypeError.
        metavar: the placeholder of a value on the command line.
    """

    expected: str
    parse: Callable[[Any], Any]
    metavar: str = "TEXT"

    def read(self, label: str, value: object) -> Any:
        """Parse a value.

        Args:
            label: the option as it was spelled, for the error.

        Raises:
            ConfigError: the value is not valid; no text is quoted, since it may be a secret.
        """
        try:
            return self.parse(value)
        except ConfigError:
            raise
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(f"{label} must be {self.expected}, got {printable(value)}") from None

    def check(self, label: str, value: object) -> Any:
        """As `read`, for an argument that must be a number and no text of one.

        Raises:
            ConfigError: the value is not valid.
        """
        if not isinstance(value, int | float):
            raise ConfigError(f"{label} must be {self.expected}, got {printable(value)}")
        return self.read(label, value)


def printable(value: object) -> str:
    """A value as an error may quote it: never a text, which may be a misplaced secret."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int | float):
        return repr(value) if isinstance(value, float) or abs(value) < 10**15 else "a huge number"
    return f"a {type(value).__name__}" if value or not isinstance(value, str) else "an empty text"


def integer(minimum: int, maximum: int | None = None) -> OptionType:
    """Whole numbers, also as text."""
    limits_text = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"

    def parse(value: object) -> int:
        parsed_number = int(value) if isinstance(value, str) else value
        if (
            type(parsed_number) is not int
            or parsed_number < minimum
            or parsed_number > (maximum or parsed_number)
        ):
            raise ValueError
        return parsed_number

    return OptionType(f"a whole number {limits_text}", parse, "N")


def choice(*choices: str) -> OptionType:
    """One of a few texts."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return OptionType(f"one of {', '.join(choices)}", parse, "|".join(choices))


def check(accepts: Callable[[Any], bool], expected: str) -> OptionType:
    """Objects that have no text."""

    def parse(value: object) -> object:
        if not accepts(value):
            raise ValueError
        return value

    return OptionType(expected, parse)


def _flag(value: object) -> bool:
    flag_value = _FLAGS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(flag_value, bool):
        raise ValueError
    return flag_value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError
    return str(value)


def _secret(value: object) -> object:
    return value if callable(value) else _text(value)


def _path(value: object) -> str:
    path_text = _text(os.fspath(value) if isinstance(value, os.PathLike) else value)
    return str(Path(path_text).expanduser()) if path_text.startswith("~") else path_text


def _seconds(value: object) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, str):
        duration_match = _DURATION.fullmatch(value)
        if duration_match is None:
            raise ValueError
        value = float(duration_match[1]) * _UNITS[duration_match[2]]
    if not _is_number(value) or not 0 <= value <= _MAX_SECONDS:  # type: ignore[operator]
        raise ValueError
    return value  # type: ignore[return-value]


def _lifetime(value: object) -> float:
    return 0.0 if value is None else _seconds(value)


def _positive_seconds(value: object) -> float:
    if not (seconds := _seconds(value)):
        raise ValueError
    return seconds


def _days_as_seconds(value: object) -> float:
    days = float(value) if isinstance(value, str) else value
    if days == -1 and not isinstance(days, bool):
        return 0.0
    if not _is_number(days) or days <= 0:  # type: ignore[operator]
        raise ValueError
    return _seconds(days * 86_400)  # type: ignore[operator]


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -math.inf < value < math.inf  # type: ignore[operator]


FLAG: Final = OptionType("true or false", _flag, "true|false")
TEXT: Final = OptionType("a str that is not empty", _text)
SECRET: Final = OptionType("a str, or a callable that returns one", _secret)
PATH: Final = OptionType("a path, as a str or a Path", _path, "PATH")
LIFETIME: Final = OptionType(
    "a number of seconds, a timedelta or a text such as '30d' (0 or None = for ever)",
    _lifetime,
    "SECONDS",
)
WAIT: Final = OptionType("a number of seconds, 0 or more", _seconds, "SECONDS")
SECONDS: Final = OptionType("a number of seconds above 0", _positive_seconds, "SECONDS")
RETENTION_DAYS: Final = OptionType(
    "a number of days above 0, or -1 = for ever", _days_as_seconds, "DAYS"
)
POOL_SIZE: Final = integer(1)
PORT: Final = integer(1, 65_535)
UNCHECKED: Final = OptionType("anything", lambda value: value)
"""For options that the store itself checks."""
