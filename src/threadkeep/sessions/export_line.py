"""Parses and validates one line of an export.

The record it returns is the one that is written, so that ownership checks apply to it. Its body is
checked as readers of the store check it, by `threadkeep.core.record_shapes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from threadkeep.core import (
    body,
    file_codec,
    item_codec,
    json_text,
    names,
    record_shapes,
    response_codec,
    session_codec,
    shape,
)
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.response_codec import ENTRY, GAP
from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.sessions.blobs import BLOB, PIECE
from threadkeep.types import Json, Record

SESSION_KINDS: Final = ("session", "file", "item", "response", ENTRY, GAP, "feedback")
"""The kinds in the stream of a session."""

KINDS: Final = (*SESSION_KINDS, PIECE, BLOB)

MAX_LINE: Final = 8 * json_text.MAX_BODY
"""Characters of a line: more than the largest record takes, however it is escaped."""

_MAX_DEPTH: Final = body.MAX_DEPTH + 1  # a line is one level around its record

Line = dict[str, Json]


def parse(number: int, text: str | bytes, max_line: int = MAX_LINE) -> Line:
    """A line of JSON, in UTF-8 if it comes as bytes.

    Raises:
        InputError: it is no JSON object, too long, or nested too deeply; it is numbered.
    """
    if len(text) > max_line:
        raise InputError(
            f"line {number} is longer than {max_line:,} characters; a larger record cannot be "
            "stored"
        )
    try:
        line_text = text if isinstance(text, str) else text.decode("utf-8-sig")
        line_fields = body.parse_json(line_text.strip(), f"line {number}", _MAX_DEPTH)
    except UnicodeDecodeError:
        raise InputError(f"line {number} must be UTF-8") from None
    except UnreadableRecord as error:
        raise InputError(str(error)) from None
    if not isinstance(line_fields, dict):
        raise InputError(f"line {number} must be a JSON object, found {shown(line_fields)}")
    return line_fields


def read(number: int, line: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> Record:
    """The record of a line, validated for its kind.

    A `text` is a body as stored: one that cannot be read, as of a damaged item, is kept as it is
    and stays unreadable.

    Raises:
        InputError: the line is not valid; its number is named.
    """
    location = f"line {number}"
    for field, field_check in _FIELDS.items():
        if (fault := field_check(line.get(field))) is not None:
            raise InputError(
                f"{location}: {field} must be {fault.expected}, found {shown(fault.actual, 40)}"
            )
    kind, record_id = line["kind"], line["id"]
    if kind not in kinds:
        raise InputError(f"{location}: kind must be one of {', '.join(kinds)}, found {shown(kind)}")
    record = Record(kind, record_id, _body(line, location), float(line["at"]), line.get("expires"))
    if "body" in line or kind == "session" or _is_readable(record):
        check_record(record, location)
    return record


def check_record(record: Record, location: str) -> None:
    """Check that a record can be read, and that its id is the one in its body.

    Raises:
        InputError: it cannot; the location, the kind and the first wrong field are named.
    """
    if record.kind in (BLOB, PIECE):
        _check_blob(record, location)
    decode_value = _DECODE.get(record.kind)
    if decode_value is None:
        return
    try:
        decoded_value = decode_value(record)
    except UnreadableRecord as error:
        raise InputError(f"{location}: {error}") from None
    if record.kind != "session" and names.key(decoded_value.id) != record.id:
        raise InputError(
            f"{location}: {record.kind}.id is {shown(decoded_value.id)}, but the line has the id "
            f"{shown(record.id)}"
        )


def _check_blob(record: Record, location: str) -> None:
    """As `check_record`, for large parts and what refers to them."""
    record_shape = record_shapes.BLOB if record.kind == BLOB else record_shapes.PIECE
    try:
        blob_fields = body.decode(record, record_shape)
    except UnreadableRecord as error:
        raise InputError(f"{location}: {error}") from None
    if record.kind == BLOB and record.id != names.key(
        f"{blob_fields['blob']}/{blob_fields['item']}"
    ):
        raise InputError(f"{location}: the line of a blob has the id of another one")


def _is_readable(record: Record) -> bool:
    try:
        check_record(record, "")
    except InputError:
        return False
    return True


def _body(line: Mapping[str, Any], location: str) -> str:
    """The body to store."""
    if ("body" in line) == ("text" in line):
        raise InputError(f"{location} must have either a body or a text")
    if "body" in line:
        return json_text.dumps(line["body"], location)
    body_text = line["text"]
    if not isinstance(body_text, str):
        raise InputError(f"{location}: text must be a text, found {shown(body_text)}")
    try:
        text_size = len(body_text.encode())
    except UnicodeEncodeError:
        raise InputError(f"{location}: text has half a character") from None
    if text_size > json_text.MAX_BODY or "\0" in body_text:
        raise InputError(f"{location}: text is too large, or has a NUL")
    return body_text


def _record_key(value: Json) -> shape.Fault | None:
    if names.is_key(value):
        return None
    return shape.Fault("", "a text of 1 to 512 bytes", value)


_FIELDS: Final[Mapping[str, shape.Check]] = {
    "kind": shape.nonempty,
    "id": _record_key,
    "at": shape.moment,
    "expires": shape.optional(shape.moment),
}
_DECODE: Final[Mapping[str, Callable[[Record], Any]]] = {
    "session": session_codec.read_session,
    "item": item_codec.decode_item,
    "file": file_codec.decode_file,
    "response": lambda record: response_codec.decode_response(record, "", None),
    ENTRY: response_codec.decode_entry,
    "feedback": lambda record: response_codec.decode_feedback(record, ""),
}
