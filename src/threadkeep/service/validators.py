"""Validators of configuration values; every error names its key and quotes no text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.service.env import ExpandedText

Validator = Callable[[str, Any], Any]
"""Takes a key and its value, returns the parsed value."""

_MAX_SECONDS: Final = 10_000_000_000  # three centuries: dates end not much later
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def seconds(key: str, value: object) -> float | None:
    """Seconds; 0 and null are `None`."""
    number = _number(value)
    if value is not None and (number is None or not 0 <= number <= _MAX_SECONDS):
        raise ConfigError(f"{key} must be seconds, 0 or null for none; got {printable(value)}")
    return float(number) if number else None


def positive_seconds(key: str, value: object) -> float:
    """Seconds, more than 0."""
    number = seconds(key, value)
    if number is None:
        raise ConfigError(f"{key} must be seconds, more than 0; got {printable(value)}")
    return number


def characters(key: str, value: object) -> int | None:
    """A whole number; 0 and null are `None`."""
    return _integer(key, value, 0) or None


def turns(key: str, value: object) -> int | None:
    """A whole number of at least 1; null is `None`."""
    return _integer(key, value, 1)


def positive_int(key: str, value: object) -> int:
    """A whole number of at least 1."""
    number = None if value is None else _integer(key, value, 1)
    if number is None:
        raise ConfigError(f"{key} must be a whole number of at least 1, got None")
    return number


def non_negative_int(key: str, value: object) -> int:
    """A whole number of at least 0."""
    number = None if value is None else _integer(key, value, 0)
    if number is None:
        raise ConfigError(f"{key} must be a whole number of at least 0, not null")
    return number


def flag(key: str, value: object) -> bool:
    """Parse a flag: a bool, or a text like `yes` from the environment."""
    parsed = _FLAGS.get(value.lower()) if isinstance(value, ExpandedText) else value
    if not isinstance(parsed, bool):
        raise ConfigError(f"{key} must be true or false, got {printable(value)}")
    return parsed


def text(key: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{key} must be a text that is not empty, got {printable(value)}")
    return str(value)


def secret(key: str, value: object) -> str | Callable[[], str]:
    """A text that no error quotes, or a callable that returns one."""
    if callable(value):
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ConfigError(f"{key} must be a text, or a callable that returns one")
    return str(value)


def path(key: str, value: object) -> str:
    """A path, as a text or a `PathLike`."""
    return text(key, os.fspath(value) if isinstance(value, os.PathLike) else value)


def one_of(*choices: str) -> Validator:
    """A validator for one of the given choices."""

    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(f"{key} must be one of {', '.join(choices)}; got {printable(value)}")
        return str(value)

    return check


def mapping(key: str, value: object, allowed: Iterable[str] | None = None) -> dict[str, Any]:
    """A dict with allowed keys only; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key} must be a dict, got {printable(value)}")
    for name in value:
        if not isinstance(name, str):
            raise ConfigError(f"{key}: keys must be str, got {printable(name)}")
        if allowed is not None and name not in allowed:
            raise ConfigError(f"{key} has no key {name!r}{did_you_mean(name, allowed)}")
    return dict(value)


def printable(value: object) -> str:
    """A value as an error may quote it: never a text, which may be a misplaced secret."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, (int, float)):
        return repr(value) if isinstance(value, float) or abs(value) < 10**15 else "a huge number"
    return f"a {type(value).__name__}" if value or not isinstance(value, str) else "an empty text"


def _integer(key: str, value: object, minimum: int) -> int | None:
    number = _number(value)
    if value is not None and (type(number) is not int or number < minimum):
        raise ConfigError(
            f"{key} must be a whole number of at least {minimum}, or null; got {printable(value)}"
        )
    return None if number is None else int(number)


def _number(value: object) -> int | float | None:
    """The number, also parsed from a text of the environment; `None` if it is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, ExpandedText):
        for convert in (int, float):
            try:
                return convert(value)
            except ValueError:
                continue
    return None
