"""Converts file metadata so that `get_files` returns it as `store_file` received it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.types import File, Json

_ORIGINALS: Final = "history_given"


def as_file(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The dict for `session.files.add`, with a copy of the values that it would normalize."""
    if not isinstance(metadata, Mapping):
        raise InputError(f"file must be a dict, got {type(metadata).__name__}")
    changed = {key: value for key, value in metadata.items() if _is_normalized(key, value)}
    return {**metadata, _ORIGINALS: changed} if changed else dict(metadata)


def original_metadata(file: File) -> dict[str, Json]:
    """The metadata as `store_file` received it."""
    metadata = file.to_dict()
    originals = metadata.pop(_ORIGINALS, {})
    return {**metadata, **originals}


def _is_normalized(key: str, value: object) -> bool:
    if key == "expiration_timestamp":
        return not isinstance(value, datetime)
    return value is None or value == ""
