"""Reads fields of exports leniently: dates in any form, roles of any product, texts or parts."""

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages.checks import ROLES
from threadkeep.printable import shown
from threadkeep.types import Json
from threadkeep.types.timestamps import parse_time

_SPEAKERS: Final = {
    **dict.fromkeys(
        (
            "gpt",
            "chatgpt",
            "claude",
            "bot",
            "bard",
            "bing",
            "gemini",
            "llm",
            "function_call",
        ),
        "assistant",
    ),
    **dict.fromkeys(("request", "prompter", "usr"), "user"),
    **dict.fromkeys(("observation", "tool_response", "tool_result", "tool-result"), "tool"),
    "norole": "user",
}
_LARGE: Final = 1e11  # seconds beyond the year 5000: the number is in smaller units
_DATE_KEYS: Final = ("$date", "value", "seconds")
DATES: Final = (
    "created_at", "create_time", "createdAt", "created", "timestamp", "date", "time", "sent_at",
)  # fmt: skip
"""Names under which sources keep the date of a message."""


class Malformed(ValueError):
    """An entry is not what its format has; says what is wrong."""


def role(value: object) -> str:
    """The role that a source's word for a speaker stands for.

    Raises:
        Malformed: nobody knows it.
    """
    role_name = value.strip().lower() if isinstance(value, str) else ""
    if role_name in ROLES:
        return role_name
    if role_name in _SPEAKERS:
        return _SPEAKERS[role_name]
    raise Malformed(f"unknown role {shown(value, 40)}")


def is_one_of(value: object, words: Collection[str]) -> bool:
    """Return True for one of the words; any other value of JSON is none, a list or dict as well."""
    return isinstance(value, str) and value in words


def moment(value: object) -> datetime | None:
    """A date as seconds, milli-, micro- or nanoseconds, ISO 8601, or a dict around one of these.

    Returns `None` for what is none.
    """
    if isinstance(value, Mapping):
        value = next((value[key] for key in _DATE_KEYS if key in value), None)
    if isinstance(value, str):
        value = _number(value) or value.strip().removesuffix(" UTC")
    if isinstance(value, bool) or value is None or value == 0:
        return None
    if isinstance(value, datetime) and value.tzinfo is None:  # of a column without a time zone
        value = value.replace(tzinfo=UTC)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        while isinstance(value, (int, float)) and abs(value) > _LARGE:
            value /= 1000
        if isinstance(value, str):
            date = datetime.fromisoformat(value)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
        return parse_time(value)
    except (InputError, ValueError, OverflowError):
        return None


def date_of(data: Mapping[str, Any]) -> object:
    """The date of a message, under any of the names that sources have for it."""
    return next((data[key] for key in DATES if data.get(key) is not None), None)


def text(value: object) -> str:
    """A text; that of `{"value": text}`; or those of a list of parts, joined by line breaks."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return text(next((value[key] for key in ("text", "value", "content") if key in value), ""))
    if isinstance(value, (list, tuple)):
        return "\n".join(filter(None, map(text, value)))
    return ""


def name(value: object) -> str | None:
    """A text that is not empty, else `None`; a number as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def agent_name(value: object) -> str | None:
    """The name of an agent, as a part of a session's id."""
    name_text = name(value)
    return name_text.replace("/", "-") if name_text else None


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """The value, which must be an object.

    Raises:
        Malformed: it is none.
    """
    if not isinstance(value, Mapping):
        raise Malformed(f"{what} must be an object, found {type(value).__name__}")
    return value


def sequence(value: object, what: str) -> list[Any]:
    """The value, which must be a list.

    Raises:
        Malformed: it is none.
    """
    if not isinstance(value, list):
        raise Malformed(f"{what} must be a list, found {type(value).__name__}")
    return value


def without_empty(**fields: Json) -> dict[str, Json]:
    """The fields that have a value: metadata."""
    return {key: value for key, value in fields.items() if value not in (None, "", [], {})}


def digest(value: Json) -> str:
    """16 hexadecimal digits that stand for a JSON value."""
    canonical_json = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical_json.encode()).hexdigest()[:16]


def _number(value: str) -> float | None:
    try:
        parsed_number = float(value)
    except ValueError:
        return None
    return parsed_number if math.isfinite(parsed_number) else None
