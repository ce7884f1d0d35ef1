"""Checks of the types of a message's fields; what they name goes into errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import openai_chat
from threadkeep.printable import shown_key
from threadkeep.types import Json

_CALL_FIELDS: Final[tuple[tuple[str, type | tuple[type, ...], str], ...]] = (
    ("id", str, "a str"),
    ("name", str, "a str"),
    ("args", (dict, str), "a dict or a str"),
)
_FIELD_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "id": str,
    "type": str,
    "role": str,
    "name": str,
    "tool_call_id": str,
    "call_id": str,
    "status": str,
    "model": str,
    "usage": Mapping,
    "metadata": Mapping,
    "raw": Mapping,
    "hidden": bool,
}


_TYPE_NAMES: Final[Mapping[Any, str]] = {Mapping: "a dict", bool: "a bool"}


def check_types(message: Mapping[str, Any], location: str) -> None:
    for key, expected_type in _FIELD_TYPES.items():
        field_value = message.get(key)
        if field_value is not None and not isinstance(field_value, expected_type):
            expected_in_words = _TYPE_NAMES.get(expected_type, "a str")
            raise InputError(
                f"{location}.{key} must be {expected_in_words}, got {type(field_value).__name__}"
            )
    if message.get("type") == "" or message.get("role") == "":
        raise InputError(f"{location}.{'type' if message.get('type') == '' else 'role'} is empty")


def neutral_calls(message: dict[str, Any], location: str) -> list[dict[str, Json]]:
    tool_calls = message.get("tool_calls", [])
    if not isinstance(tool_calls, (list, tuple)):
        raise InputError(f"{location}.tool_calls must be a list, got {type(tool_calls).__name__}")
    for call_number, tool_call in enumerate(tool_calls):
        _check_call(tool_call, f"{location}.tool_calls[{call_number}]")
    parsed_calls = openai_chat.neutral_calls(message)
    check_calls(parsed_calls, location)
    return parsed_calls


def _check_call(call: object, location: str) -> None:
    if not isinstance(call, Mapping):
        raise InputError(f"{location} must be a dict, got {type(call).__name__}")
    for key in ("function", "custom"):
        if call.get(key) and not isinstance(call[key], Mapping):
            raise InputError(f"{location}.{key} must be a dict, got {type(call[key]).__name__}")


def check_calls(calls: list[dict[str, Json]], location: str) -> None:
    for call_number, call in enumerate(calls):
        for field, expected_types, expected_in_words in _CALL_FIELDS:
            if not isinstance(call[field], expected_types):
                raise InputError(
                    f"{location}.tool_calls[{call_number}].{field} must be {expected_in_words}, "
                    f"got {type(call[field]).__name__}"
                )


def list_keys(message: Mapping[str, Any]) -> str:
    shown_keys = sorted(shown_key(key) for key in message if isinstance(key, str))
    return ", ".join(shown_keys)[:200] or "none"
