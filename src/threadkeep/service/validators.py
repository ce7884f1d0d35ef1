"""What a value of the configuration must be; every error names its key and shows no text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.service.env import Expanded

Check = Callable[[str, Any], Any]
"""Takes a key and its value, gives the value as it is used."""

_LONG: Final = 10_000_000_000  # seconds, three centuries: dates end not much later
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def seconds(key: str, value: object) -> float | None:
    """Seconds; 0 and null are `None`."""
    number = _number(value)
    if value is not None and (number is None or not 0 <= number <= _LONG):
        raise ConfigError(f"{key} must be seconds, 0 or null for none; got {shown(value)}")
    return float(number) if number else None


def wait(key: str, value: object) -> float:
    """Seconds, more than 0."""
    number = seconds(key, value)
    if number is None:
        raise ConfigError(f"{key} must be seconds, more than 0; got {shown(value)}")
    return number


def characters(key: str, value: object) -> int | None:
    """A whole number; 0 and null are `None`."""
    return _whole(key, value, 0) or None


def turns(key: str, value: object) -> int | None:
    """A whole number of at least 1; null is `None`."""
    return _whole(key, value, 1)


def whole(key: str, value: object) -> int:
    """A whole number of at least 1."""
    number = None if value is None else _whole(key, value, 1)
    if number is None:
        raise ConfigError(f"{key} must be a whole number of at least 1, got None")
    return number


def count(key: str, value: object) -> int:
    """A whole number of at least 0."""
    number = None if value is None else _whole(key, value, 0)
    if number is None:
        raise ConfigError(f"{key} must be a whole number of at least 0, not null")
    return number


def flag(key: str, value: object) -> bool:
    """True or false."""
    known = _FLAGS.get(value.lower()) if isinstance(value, Expanded) else value
    if not isinstance(known, bool):
        raise ConfigError(f"{key} must be true or false, got {shown(value)}")
    return known


def text(key: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{key} must be a text that is not empty, got {shown(value)}")
    return str(value)


def secret(key: str, value: object) -> str | Callable[[], str]:
    """A text that no error shows, or what gives it."""
    if callable(value):
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ConfigError(f"{key} must be a text, or a callable that returns one")
    return str(value)


def path(key: str, value: object) -> str:
    """A path, or its text."""
    return text(key, os.fspath(value) if isinstance(value, os.PathLike) else value)


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(f"{key} must be one of {', '.join(choices)}; got {shown(value)}")
        return str(value)

    return check


def mapping(key: str, value: object, known: Iterable[str] | None = None) -> dict[str, Any]:
    """A dict whose keys are known; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key} must be a dict, got {shown(value)}")
    for name in value:
        if not isinstance(name, str):
            raise ConfigError(f"{key}: keys must be str, got {shown(name)}")
        if known is not None and name not in known:
            raise ConfigError(f"{key} has no key {name!r}{did_you_mean(name, known)}")
    return dict(value)


def shown(value: object) -> str:
    """A value as an error may show it: a text may be a secret that stands at the wrong place."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, (int, float)):
        return repr(value) if isinstance(value, float) or abs(value) < 10**15 else "a huge number"
    return f"a {type(value).__name__}" if value or not isinstance(value, str) else "an empty text"


def _whole(key: str, value: object, least: int) -> int | None:
    number = _number(value)
    if value is not None and (type(number) is not int or number < least):
        raise ConfigError(
            f"{key} must be a whole number of at least {least}, or null; got {shown(value)}"
        )
    return None if number is None else int(number)


def _number(value: object) -> int | float | None:
    """The number, also of a text that the environment gave."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Expanded):
        for convert in (int, float):
            try:
                return convert(value)
            except ValueError:
                continue
    return None
