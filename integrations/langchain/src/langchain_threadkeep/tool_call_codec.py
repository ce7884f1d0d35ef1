"""The tool calls of a message, valid and invalid, as neutral calls and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_threadkeep.json_values import pack, unpack

Call = dict[str, Any]


def read(said: Mapping[str, Any]) -> list[Call]:
    """The neutral calls: those whose arguments could not be read have a text for arguments.

    Invalid calls are among them, since a model that made one wants an answer to it as well.
    """
    found = [_neutral(call) for call in said.get("tool_calls") or ()]
    found += [_neutral(call, text=True) for call in said.get("invalid_tool_calls") or ()]
    legacy = said["additional_kwargs"].get("function_call")
    if not found and isinstance(legacy, Mapping):
        found = [_neutral({"name": legacy.get("name"), "args": legacy.get("arguments")}, text=True)]
    return found


def write(calls: Sequence[Call]) -> dict[str, list[Any]]:
    """`tool_calls` and `invalid_tool_calls` of an `AIMessage`."""
    valid = [call for call in calls if isinstance(call.get("args"), dict)]
    invalid = [call for call in calls if not isinstance(call.get("args"), dict)]
    return {
        "tool_calls": [
            {**_named(call), "args": unpack(call["args"]), "type": "tool_call"} for call in valid
        ],
        "invalid_tool_calls": [
            {**_named(call), "args": call.get("args"), "error": None, "type": "invalid_tool_call"}
            for call in invalid
        ],
    }


def _neutral(call: Mapping[str, Any], *, text: bool = False) -> Call:
    args = call.get("args")
    said = _parsed(str(args or "")) if text else pack(args if isinstance(args, dict) else {})
    return {"id": str(call.get("id") or ""), "name": str(call.get("name") or ""), "args": said}


def _parsed(text: str) -> Any:
    """As the core understands arguments: a JSON object where the text is one."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


def _named(call: Call) -> dict[str, Any]:
    return {"name": call.get("name"), "id": call.get("id")}
