"""The OpenAI API's limits for metadata; beside its texts, numbers and booleans are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.printable import shown, shown_key

MAX_KEYS: Final = 16
MAX_KEY_LENGTH: Final = 64
MAX_VALUE_LENGTH: Final = 512


def check_metadata(metadata: Mapping[str, Any], location: str = "metadata") -> dict[str, Any]:
    """Return the metadata if it has at most 16 keys of 64 characters, and texts of 512.

    Finite numbers and booleans are kept as they are; the OpenAI API itself takes texts only.

    Raises:
        InputError: it exceeds a limit; the key is named.
    """
    for metadata_key, metadata_value in metadata.items():
        _check(metadata_key, metadata_value, location)
    return check_key_count(metadata, location)


def check_key_count(metadata: Mapping[str, Any], location: str = "metadata") -> dict[str, Any]:
    """Return the metadata if it has at most 16 keys.

    Raises:
        InputError: it has more.
    """
    if len(metadata) > MAX_KEYS:
        raise InputError(f"{location} has {len(metadata)} keys, at most {MAX_KEYS} are allowed")
    return dict(metadata)


def _check(key: object, value: object, location: str) -> None:
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise InputError(
            f"{location}: a key must be a str of 1 to {MAX_KEY_LENGTH} characters, got {shown(key)}"
        )
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return
    if not isinstance(value, str):
        raise InputError(
            f"{location}.{shown_key(key)} must be a str, a finite number or a bool, "
            f"got {type(value).__name__}"
        )
    if len(value) > MAX_VALUE_LENGTH:
        raise InputError(
            f"{location}.{shown_key(key)} is {len(value)} characters long, "
            f"at most {MAX_VALUE_LENGTH} are allowed"
        )
