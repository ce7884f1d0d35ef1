"""Bodies of records, read within limits: JSON objects of finite numbers, nested at most 64 deep.

The one place where text from a store or an import becomes JSON.
"""

from __future__ import annotations

import functools
import json
import math
import re
import sys
from typing import Final

from threadkeep.core.shape import Check, Fault
from threadkeep.printable import shown
from threadkeep.types import Json, Record

_MAX_SHOWN: Final = 40  # characters of a value, which may be from a message

MAX_DEPTH: Final = 64
"""How deeply lists and objects may be nested, so that a deep call stack can still read them."""

_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


class UnreadableRecord(ValueError):
    """A stored body is no JSON object, exceeds a limit, or a field has a wrong type.

    Attributes:
        kind: of the record.
        field: the path of the wrong field; empty = the whole body.
        reason: as the message, but without anything of the body's content, as for logs.
    """

    def __init__(self, kind: str, fault: Fault) -> None:
        path_separator = "." if fault.path and fault.path[0] != "[" else ""
        requirement = f"{kind}{path_separator}{fault.path} must be {fault.expected}"
        super().__init__(f"{requirement}, found {shown(fault.actual, _MAX_SHOWN)}")
        self.kind, self.field = kind, fault.path
        self.reason = f"{requirement}, found {_TYPE_NAMES.get(type(fault.actual), 'another')}"


def decode(record: Record, check: Check, kind: str = "") -> dict[str, Json]:
    """The body of a record, if it has the shape of its kind.

    Raises:
        UnreadableRecord: it has not; the first wrong field is named.
    """
    kind = kind or record.kind
    body_fields = parse(record.body, kind)
    if (fault := check(body_fields)) is not None:
        raise UnreadableRecord(kind, fault)
    return body_fields


def is_readable(record: Record, check: Check) -> bool:
    """Return True if the body of a record has the shape of its kind."""
    try:
        decode(record, check)
    except UnreadableRecord:
        return False
    return True


def parse(text: str, kind: str) -> dict[str, Json]:
    """A JSON object.

    Raises:
        UnreadableRecord: the text is none, or nested too deeply.
    """
    parsed_value = parse_json(text, kind)
    if type(parsed_value) is not dict:
        raise UnreadableRecord(kind, Fault("", "a JSON object", parsed_value))
    return parsed_value


def parse_json(text: str, kind: str, max_depth: int = MAX_DEPTH) -> Json:
    """Any JSON within the limits.

    Raises:
        UnreadableRecord: the text is none, nested too deeply, or has a number that is not finite.
    """
    try:
        parsed_value, end_index = _scan(text, 0)
        if end_index != len(text):
            parsed_value = _decoder.decode(text)  # there may be white space around it
    except (ValueError, StopIteration) as error:
        raise UnreadableRecord(kind, Fault("", _expected(error), text)) from None
    except RecursionError:
        if not _is_text_too_deep(text, max_depth):
            raise  # the stack of the caller is what is deep
        raise UnreadableRecord(kind, _TOO_DEEP) from None
    if text.count("[") + text.count("{") > max_depth and is_too_deep(parsed_value, max_depth):
        raise UnreadableRecord(kind, _TOO_DEEP)
    return parsed_value


def is_too_deep(value: Json, max_depth: int = MAX_DEPTH) -> bool:
    """Return True if lists and objects are nested more than `max_depth` deep."""
    containers = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(max_depth):
        containers = [child for container in containers for child in _children(container)]
        if not containers:
            return False
    return True


@functools.lru_cache(maxsize=1_024)
def report(kind: str, id: str, reason: str) -> None:
    """Log once that a record was skipped."""
    import logging  # rarely needed, and a tenth of our import time

    logging.getLogger("threadkeep").warning(
        "skipped an unreadable %s record %s (%s); `threadkeep repair` shows all of them",
        kind,
        shown(id),
        reason,
    )


def skip(record: Record, error: UnreadableRecord) -> None:
    """Log once that a record is skipped, and why."""
    report(record.kind, record.id, error.reason)


class _NotFinite(ValueError):
    """A number in a JSON text is infinite, or not a number."""


def _finite(text: str) -> float:
    parsed_number = float(text)
    if not math.isfinite(parsed_number):
        raise _NotFinite
    return parsed_number


def _refuse(text: str) -> float:
    raise _NotFinite


_decoder: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
_scan = _decoder.scan_once  # type: ignore[attr-defined]  # since Python 2.7
_CONTAINERS: Final = (dict, list, tuple)
_TYPE_NAMES: Final = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "nothing",
}
_TOO_DEEP: Final = Fault("", f"nested at most {MAX_DEPTH} deep", "more")


def _expected(error: Exception) -> str:
    if isinstance(error, _NotFinite):
        return "JSON of finite numbers"
    if isinstance(error, (json.JSONDecodeError, StopIteration)):
        return "JSON"
    return f"JSON of numbers of at most {sys.get_int_max_str_digits():,} digits"


def _children(node: Json) -> list[Json]:
    children = node.values() if isinstance(node, dict) else node
    return [child for child in children if isinstance(child, _CONTAINERS)]


def _is_text_too_deep(text: str, max_depth: int) -> bool:
    """As `is_too_deep`, of a text that cannot be parsed: no recursion."""
    depth = 0
    for bracket_match in _BRACKETS.finditer(text):
        depth += (bracket_match[1] is not None) - (bracket_match[2] is not None)
        if depth > max_depth:
            return True
    return False
