"""Events for items that other frameworks stored."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from google.adk.events.event import Event

from google_adk_threadkeep.content_codec import from_neutral
from threadkeep import Item
from threadkeep.messages import as_blocks, parse_arguments

_HIDDEN: Final = frozenset({"notice", "opaque"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_ASKING_ROLES: Final = frozenset({"user", "system", "developer"})


class Caller(NamedTuple):
    """The author of a call, and the tool that was called."""

    agent: str
    tool: str | None = None


def foreign_event(item: Item, caller: Caller) -> Event | None:
    """The event for an item; `None` for what a model is not told.

    A system message becomes the words of an author `system`, since ADK has no such events.

    Args:
        item: of another framework.
        caller: of the call that a tool's result answers; the author of what else is no user's.
    """
    parts = _parts(item, caller.tool)
    if item.type in _HIDDEN or not parts:
        return None
    is_answer = item.role not in _ASKING_ROLES
    timestamp_field = {} if item.created_at is None else {"timestamp": item.created_at.timestamp()}
    return Event.model_validate(
        {
            "id": item.id,
            "invocation_id": item.id,
            "author": caller.agent if is_answer else item.role,
            "content": {"role": "model" if _is_of_model(item) else "user", "parts": parts},
            "model_version": item.model,
            **timestamp_field,
        }
    )


def _is_of_model(item: Item) -> bool:
    return item.role not in _RESULT_ROLES | _ASKING_ROLES


def _parts(item: Item, tool: str | None) -> list[dict[str, Any]]:
    if item.role in _RESULT_ROLES:
        response = {"result": _text(item)} if item.status != "error" else {"error": _text(item)}
        tool_name = item.name or tool or "tool"
        function_response = {"id": item.tool_call_id, "name": tool_name, "response": response}
        return [{"function_response": function_response}]
    return [*map(from_neutral, as_blocks(item.content)), *map(_call, item.tool_calls)]


def _text(item: Item) -> str:
    if isinstance(item.content, str):
        return item.content
    return "\n".join(str(from_neutral(block).get("text") or "") for block in item.content)


def _call(call: dict[str, Any]) -> dict[str, Any]:
    arguments = parse_arguments(call.get("args"))
    args = arguments if isinstance(arguments, dict) else {"arguments": arguments}
    return {"function_call": {"id": call.get("id"), "name": call.get("name") or "", "args": args}}
