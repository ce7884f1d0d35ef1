"""JSON as every store takes it: compact, of exact types, within a size and a depth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from threadkeep.core import body, parts
from threadkeep.core.shape import Check
from threadkeep.errors import InputError
from threadkeep.printable import shown, shown_key
from threadkeep.types import Json

MAX_BODY: Final = 4_000_000
"""Bytes one record may take; the size of a whole commit."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_EXACT: Final = frozenset({str, int, float, bool, type(None)})


def checked(fields: dict[str, Json], check: Check, location: str, most: int = MAX_BODY) -> str:
    """The body of a record, if it has the shape of its kind, so that it can be read again.

    Raises:
        InputError: it has not, or is no JSON; the field is named.
    """
    json_text = dumps(fields, location, most)
    if (fault := check(fields)) is not None and (fault := check(json.loads(json_text))) is not None:
        raise InputError(
            f"{location}.{fault.path} must be {fault.expected}, got {shown(fault.actual)}"
        )
    return json_text


def dumps(value: Json, location: str, most: int = MAX_BODY) -> str:
    """Compact JSON for every store: NUL and lone surrogates are escaped.

    Raises:
        InputError: something is not JSON (named by its path), or it is larger than `most` bytes.
    """
    try:
        if not _is_exact(value):
            check_json(value, location)
        json_text = _encode(value)
    except RecursionError as error:
        raise InputError(f"{location} is nested too deeply to be stored as JSON") from error
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{location} cannot be stored as JSON: {error}") from error
    try:
        byte_size = len(json_text) if json_text.isascii() else len(json_text.encode())
    except UnicodeEncodeError:  # lone surrogates
        json_text = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", json_text)
        byte_size = len(json_text.encode())
    if byte_size > most:
        raise too_large(location, byte_size, most)
    if json_text.count("[") + json_text.count("{") > body.MAX_DEPTH and body.is_too_deep(value):
        raise InputError(
            f"{location} is nested more than {body.MAX_DEPTH} deep, which could not be read again "
            "everywhere; store what is deeper as a text of JSON"
        )
    return json_text


def copy_json(value: Json) -> Json:
    """A deep copy of stored JSON."""
    return json.loads(dumps(value, "metadata"))


def too_large(location: str, size: int, most: int) -> parts.TooLarge:
    """The error for what is over a limit of bytes."""
    return parts.TooLarge(
        f"{location} is {size:,} bytes, at most {most:,} can be stored; "
        "keep large files elsewhere and store their URL"
    )


def _is_exact(value: Json) -> bool:
    """Return True if all values have exact JSON types: the fast path, which builds no paths."""
    if type(value) is dict:
        for key, child_value in value.items():
            if type(key) is not str or not (type(child_value) is str or _is_exact(child_value)):
                return False
        return True
    if type(value) is list:
        return all(map(_is_exact, value))
    return type(value) in _EXACT


def check_json(value: Json, location: str) -> None:
    """Refuse a value that would not come back from JSON unchanged.

    Raises:
        InputError: a value is of another type; its path and type are named.
    """
    value_type = type(value)
    if (
        value_type is str
        or value is None
        or value_type is int
        or value_type is bool
        or value_type is float
    ):
        return
    if isinstance(value, Mapping):
        for key, child_value in value.items():
            if not isinstance(key, str):
                raise InputError(f"{location}: keys must be str, got {shown(key)}")
            if type(child_value) is not str:
                check_json(child_value, f"{location}.{shown_key(key)}")
    elif isinstance(value, (list, tuple)):
        for index, child_value in enumerate(value):
            check_json(child_value, f"{location}[{index}]")
    elif not isinstance(value, (str, int, float)):
        raise InputError(
            f"{location} is a {value_type.__name__}; only str, numbers, bool, None, lists and "
            "dicts can be stored"
        )
