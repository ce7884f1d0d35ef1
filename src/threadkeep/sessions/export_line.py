"""Parses and validates one line of an export.

The record it returns is the one that is written, so that ownership checks apply to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.core import item_codec, names
from threadkeep.core.response_codec import ENTRY, GAP
from threadkeep.errors import InputError
from threadkeep.sessions import record_shape
from threadkeep.types import Json, Record
from threadkeep.types.timestamps import utc_datetime

KINDS: Final = ("session", "file", "item", "response", ENTRY, GAP, "feedback")

MAX_LINE: Final = 8 * item_codec.MAX_BODY
"""Characters of a line: more than the largest record takes, however it is escaped."""

MAX_DEPTH: Final = 100
"""How deeply lists and dicts may be nested, so that a deep call stack can still read them."""

Line = dict[str, Json]


def parse(number: int, text: str | bytes) -> Line:
    """A line of JSON, in UTF-8 if it comes as bytes.

    Raises:
        InputError: it is no JSON object, too long, or nested too deeply; it is numbered.
    """
    if len(text) > MAX_LINE:
        raise InputError(f"line {number} is longer than {MAX_LINE:,} characters")
    line = _parse_json(text, f"line {number}")
    if not isinstance(line, dict):
        raise InputError(f"line {number} is not a JSON object")
    return line


def read(number: int, line: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> Record:
    """The record of a line, validated for its kind.

    A `text` is a body as stored: one that is no JSON, as of a damaged item, is kept as it is and
    stays unreadable.

    Raises:
        InputError: the line is not valid; its number is named.
    """
    kind, id, written_at, expires = (line.get(key) for key in ("kind", "id", "at", "expires"))
    if kind not in kinds or not names.is_key(id) or written_at is None or not _is_time(written_at):
        raise InputError(f"line {number} is no record: kind, id or at is missing or wrong")
    if not _is_time(expires):
        raise InputError(f"line {number}: expires must be epoch seconds")
    body, readable = _body(line, f"line {number}")
    record = Record(str(kind), str(id), body, float(written_at), expires)
    if readable or kind == "session":
        record_shape.check(record, f"line {number}")
    return record


def _body(line: Mapping[str, Any], location: str) -> tuple[str, bool]:
    """The body to store, and whether it is JSON."""
    if ("body" in line) == ("text" in line):
        raise InputError(f"{location} must have either a body or a text")
    if "body" in line:
        return item_codec.dumps(_check_depth(line["body"], location), location), True
    text = line["text"]
    if not isinstance(text, str):
        raise InputError(f"{location}: text must be a text")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InputError(f"{location}: text has half a character") from error
    if size > item_codec.MAX_BODY or "\0" in text:
        raise InputError(f"{location}: text is too large, or has a NUL")
    return text, _is_json(text, location)


def _is_json(text: str, location: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    except RecursionError as error:
        raise _too_deep(location) from error
    item_codec.dumps(_check_depth(value, location), location)  # as strict as for new records
    return True


def _parse_json(text: str | bytes, location: str) -> Json:
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{location} is not JSON") from error
    except RecursionError as error:
        raise _too_deep(location) from error


def _check_depth(value: Json, location: str) -> Json:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return value
    raise _too_deep(location)


def _children(node: Json) -> list[Json]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in children if isinstance(child, (dict, list))]


def _too_deep(location: str) -> InputError:
    return InputError(f"{location} is nested more than {MAX_DEPTH} deep")


def _is_time(value: object) -> bool:
    """Return True for `None`, or epoch seconds that a datetime can represent."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        utc_datetime(value)
    except (ValueError, OverflowError, OSError):
        return False
    return True
