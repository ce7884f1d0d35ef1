"""File metadata as it was given, although files are stored in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.types import File, Json

_GIVEN: Final = "history_given"


def as_file(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `session.files.add` takes, with a copy of what it would give back differently."""
    if not isinstance(given, Mapping):
        raise InputError(f"file must be a dict, got {type(given).__name__}")
    changed = {key: value for key, value in given.items() if _changes(key, value)}
    return {**given, _GIVEN: changed} if changed else dict(given)


def as_given(file: File) -> dict[str, Json]:
    """The metadata as it was given."""
    data = file.to_dict()
    given = data.pop(_GIVEN, {})
    return {**data, **given}


def _changes(key: str, value: object) -> bool:
    if key == "expiration_timestamp":
        return not isinstance(value, datetime)
    return value is None or value == ""
