"""What the OpenAI API allows in metadata, so that what is stored here fits there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.errors import InputError

KEYS: Final = 16
KEY: Final = 64
VALUE: Final = 512


def check_metadata(given: Mapping[str, Any], where: str = "metadata") -> dict[str, Any]:
    """The metadata, if it has at most 16 keys of 64 characters and texts of 512.

    Raises:
        InputError: it has not; the key is named.
    """
    for key, value in given.items():
        _check(key, value, where)
    return count_metadata(given, where)


def count_metadata(given: Mapping[str, Any], where: str = "metadata") -> dict[str, Any]:
    """The metadata, if it has at most 16 keys.

    Raises:
        InputError: it has more.
    """
    if len(given) > KEYS:
        raise InputError(f"{where} has {len(given)} keys, at most {KEYS} are allowed")
    return dict(given)


def _check(key: object, value: object, where: str) -> None:
    if not isinstance(key, str) or not 1 <= len(key) <= KEY:
        raise InputError(f"{where}: a key must be a str of 1 to {KEY} characters, got {key!r:.80}")
    if not isinstance(value, str):
        raise InputError(f"{where}.{key} must be a str, got {type(value).__name__}")
    if len(value) > VALUE:
        said = f"{where}.{key} is {len(value)} characters long, at most {VALUE} are allowed"
        raise InputError(said)
