"""Convert tool calls, valid and invalid, to neutral calls and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_threadkeep.json_values import pack, unpack
from threadkeep.messages import parse_arguments

Call = dict[str, Any]


def to_neutral(fields: Mapping[str, Any]) -> list[Call]:
    """Return the neutral calls; the arguments of invalid calls are a text.

    Invalid calls are included, since providers expect an answer to them too.
    """
    calls = [_neutral_call(call) for call in fields.get("tool_calls") or ()]
    calls += [_neutral_call(call, text=True) for call in fields.get("invalid_tool_calls") or ()]
    legacy_call = fields["additional_kwargs"].get("function_call")
    if not calls and isinstance(legacy_call, Mapping):
        calls = [
            _neutral_call(
                {"name": legacy_call.get("name"), "args": legacy_call.get("arguments")}, text=True
            )
        ]
    return calls


def from_neutral(calls: Sequence[Call]) -> dict[str, list[Any]]:
    """Return `tool_calls` and `invalid_tool_calls` of an `AIMessage`."""
    valid_calls = [call for call in calls if isinstance(call.get("args"), dict)]
    invalid_calls = [call for call in calls if not isinstance(call.get("args"), dict)]
    return {
        "tool_calls": [_tool_call(call, unpack(call["args"]), "tool_call") for call in valid_calls],
        "invalid_tool_calls": [
            {**_tool_call(call, call.get("args"), "invalid_tool_call"), "error": None}
            for call in invalid_calls
        ],
    }


def _tool_call(call: Call, args: Any, kind: str) -> dict[str, Any]:
    """A call with its keys in the order of LangChain's own."""
    return {"name": call.get("name"), "args": args, "id": call.get("id"), "type": kind}


def _neutral_call(call: Mapping[str, Any], *, text: bool = False) -> Call:
    args = call.get("args")
    neutral_args = (
        parse_arguments(str(args or "")) if text else pack(args if isinstance(args, dict) else {})
    )
    return {
        "id": str(call.get("id") or ""),
        "name": str(call.get("name") or ""),
        "args": neutral_args,
    }
