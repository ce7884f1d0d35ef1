"""One line of an export: from its text to the record that it stands for, checked in full.

What passes here is what will be written, so that whoever decides by it (whose is it?) and whoever
writes it look at one and the same record.
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
from threadkeep.types.timestamps import moment

KINDS: Final = ("session", "file", "item", "response", ENTRY, GAP, "feedback")

MAX_LINE: Final = 8 * item_codec.MAX_BODY
"""Characters of a line: more than the largest record takes, however it is escaped."""

MAX_DEPTH: Final = 100
"""How deep lists and dicts may be nested, so that a deep call stack can read them, too."""

Line = dict[str, Json]


def parse(number: int, text: str | bytes) -> Line:
    """A line of JSON, in UTF-8 if it comes as bytes.

    Raises:
        InputError: it is no JSON object, too long, or nested too deeply; it is numbered.
    """
    if len(text) > MAX_LINE:
        raise InputError(f"line {number} is longer than {MAX_LINE:,} characters")
    line = _loads(text, f"line {number}")
    if not isinstance(line, dict):
        raise InputError(f"line {number} is not a JSON object")
    return line


def read(number: int, line: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> Record:
    """The record of a line; one that readers of its kind can read.

    A `text` is a body as it was stored: what is no JSON at all, as of a damaged item, is taken
    over as it is, and reads as unreadable.

    Raises:
        InputError: it is of another kind, or wrong; the line is numbered.
    """
    kind, id, at, expires = (line.get(key) for key in ("kind", "id", "at", "expires"))
    if kind not in kinds or not names.is_key(id) or at is None or not _is_time(at):
        raise InputError(f"line {number} is no record: kind, id or at is missing or wrong")
    if not _is_time(expires):
        raise InputError(f"line {number}: expires must be epoch seconds")
    body, readable = _body(line, f"line {number}")
    record = Record(str(kind), str(id), body, float(at), expires)
    if readable or kind == "session":
        record_shape.check(record, f"line {number}")
    return record


def _body(line: Mapping[str, Any], where: str) -> tuple[str, bool]:
    """The body to store, and whether it is JSON."""
    if ("body" in line) == ("text" in line):
        raise InputError(f"{where} must have either a body or a text")
    if "body" in line:
        return item_codec.dumps(_shallow(line["body"], where), where), True
    text = line["text"]
    if not isinstance(text, str):
        raise InputError(f"{where}: text must be a text")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: text has half a character") from error
    if size > item_codec.MAX_BODY or "\0" in text:
        raise InputError(f"{where}: text is too large, or has a NUL")
    return text, _is_json(text, where)


def _is_json(text: str, where: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    except RecursionError as error:
        raise _too_deep(where) from error
    item_codec.dumps(_shallow(value, where), where)  # as strict as with what is written here
    return True


def _loads(text: str | bytes, where: str) -> Json:
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{where} is not JSON") from error
    except RecursionError as error:
        raise _too_deep(where) from error


def _shallow(value: Json, where: str) -> Json:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return value
    raise _too_deep(where)


def _children(node: Json) -> list[Json]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in children if isinstance(child, (dict, list))]


def _too_deep(where: str) -> InputError:
    return InputError(f"{where} is nested more than {MAX_DEPTH} deep")


def _is_time(value: object) -> bool:
    """Whether it is nothing, or epoch seconds of a year that a datetime can have."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        moment(value)
    except (ValueError, OverflowError, OSError):
        return False
    return True
