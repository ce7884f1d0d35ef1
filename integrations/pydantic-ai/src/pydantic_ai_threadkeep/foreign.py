"""Convert what other frameworks wrote to Pydantic AI's messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RequestUsage

from pydantic_ai_threadkeep.foreign_parts import answer_part, prompt_of, result_of
from threadkeep import Item
from threadkeep.messages import as_blocks

CallNames = dict[str, str]
"""What the tools of calls are called, by the ids of the calls."""

_HIDDEN: Final = frozenset({"notice", "opaque"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_MODEL_ROLES: Final = frozenset({"assistant", "ai", "model", "chatbot"})


def is_said(item: Item) -> bool:
    """Return True if the item becomes a message, or a part of one."""
    return item.type not in _HIDDEN


def continues(previous: Item, item: Item) -> bool:
    """Return True if the item is another part of the answer that the previous one belongs to."""
    if not (_is_answer(previous) and _is_answer(item)):
        return False
    is_separate_part = item.type != "message" and (item.tool_calls or item.type == "reasoning")
    return previous.type == "reasoning" or bool(is_separate_part)


def foreign_message(items: Sequence[Item], names: CallNames) -> ModelMessage | None:
    """The message of an item, or of the items of one answer; `None` if it says nothing.

    Args:
        items: those of one answer, else a single item.
        names: of the tools that were called before.
    """
    first_item = items[0]
    if _is_answer(first_item):
        return _response(items)
    timestamp = _timestamp(first_item)
    if first_item.role in _RESULT_ROLES:
        return ModelRequest([_tool_return(first_item, names)])
    if first_item.role in _SYSTEM_ROLES:
        return ModelRequest([SystemPromptPart(first_item.text, **timestamp)])
    return ModelRequest([UserPromptPart(prompt_of(first_item), **timestamp)])


def call_names(items: Iterable[Item]) -> CallNames:
    """What the tools of the items' calls are called."""
    return {
        str(tool_call.get("id")): str(tool_call.get("name") or "tool")
        for item in items
        for tool_call in item.tool_calls
    }


def _is_answer(item: Item) -> bool:
    if item.role in _RESULT_ROLES or item.role in _SYSTEM_ROLES:
        return False
    return item.role in _MODEL_ROLES or bool(item.tool_calls)


def _response(items: Sequence[Item]) -> ModelResponse | None:
    parts: list[Any] = []
    for item in items:
        blocks = as_blocks(item.content)
        parts += [part for block in blocks if (part := answer_part(block)) is not None]
        parts += [
            ToolCallPart(
                str(call.get("name") or "tool"), call.get("args"), tool_call_id=str(call.get("id"))
            )
            for call in item.tool_calls
        ]
    if not parts:
        return None
    last_item = items[-1]
    timestamp = _timestamp(last_item)
    return ModelResponse(parts, model_name=last_item.model, usage=_usage(last_item), **timestamp)


def _tool_return(item: Item, names: CallNames) -> ToolReturnPart:
    call_id = item.tool_call_id or ""
    timestamp = _timestamp(item)
    return ToolReturnPart(
        item.name or names.get(call_id, "tool"),
        result_of(item),
        tool_call_id=call_id,
        outcome="failed" if item.status == "error" else "success",
        **timestamp,
    )


def _timestamp(item: Item) -> dict[str, Any]:
    return {} if item.created_at is None else {"timestamp": item.created_at}


def _usage(item: Item) -> RequestUsage:
    usage = item.usage or {}
    input_tokens, output_tokens = (
        count if type(count := usage.get(field_name)) is int and count >= 0 else 0
        for field_name in ("input_tokens", "output_tokens")
    )
    return RequestUsage(input_tokens=input_tokens, output_tokens=output_tokens)
