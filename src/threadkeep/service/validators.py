"""Validators of configuration values; every error names its key and quotes no text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from threadkeep.core.option_types import FLAG, LIFETIME, TEXT, choice, integer, printable
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

Validator = Callable[[str, Any], Any]
"""Takes a key and its value, returns the parsed value."""

_CHARACTERS: Final = integer(0)
_TURNS: Final = integer(1)

flag: Final[Validator] = FLAG.read
text: Final[Validator] = TEXT.read


def seconds(key: str, value: object) -> float | None:
    """Seconds; 0 and null are `None`."""
    return float(LIFETIME.read(key, value)) or None


def characters(key: str, value: object) -> int | None:
    """A whole number; 0 and null are `None`."""
    return None if value is None else _CHARACTERS.read(key, value) or None


def turns(key: str, value: object) -> int | None:
    """A whole number of at least 1; null is `None`."""
    return None if value is None else _TURNS.read(key, value)


def one_of(*choices: str) -> Validator:
    """A validator for one of the given choices."""
    return choice(*choices).read


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
            raise ConfigError(f"{key} has no key {shown(name)}{did_you_mean(name, allowed)}")
    return dict(value)
