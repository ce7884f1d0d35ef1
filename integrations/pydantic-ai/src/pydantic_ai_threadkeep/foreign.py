"""Convert what other frameworks wrote to Pydantic AI's messages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    VideoUrl,
)
from pydantic_ai.usage import RequestUsage

from threadkeep import Item

Block = dict[str, Any]
CallNames = dict[str, str]
"""What the tools of calls are called, by the ids of the calls."""

_HIDDEN: Final = frozenset({"notice", "opaque"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_MODEL_ROLES: Final = frozenset({"assistant", "ai", "model", "chatbot"})
_URLS: Final[dict[str, Any]] = {
    "image": ImageUrl,
    "audio": AudioUrl,
    "video": VideoUrl,
    "file": DocumentUrl,
}
_FALLBACK_TYPES: Final = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "file": "application/octet-stream",
}


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
    first = items[0]
    if _is_answer(first):
        return _response(items)
    timestamp = _timestamp(first)
    if first.role in _RESULT_ROLES:
        return ModelRequest([_tool_return(first, names)])
    if first.role in _SYSTEM_ROLES:
        return ModelRequest([SystemPromptPart(first.text, **timestamp)])
    return ModelRequest([UserPromptPart(_prompt(first), **timestamp)])


def call_names(items: Iterable[Item]) -> CallNames:
    """What the tools of the items' calls are called."""
    return {
        str(call.get("id")): str(call.get("name") or "tool")
        for item in items
        for call in item.tool_calls
    }


def _is_answer(item: Item) -> bool:
    if item.role in _RESULT_ROLES or item.role in _SYSTEM_ROLES:
        return False
    return item.role in _MODEL_ROLES or bool(item.tool_calls)


def _response(items: Sequence[Item]) -> ModelResponse | None:
    parts: list[Any] = []
    for item in items:
        parts += [part for block in _blocks(item) if (part := _answer_part(block)) is not None]
        parts += [
            ToolCallPart(
                str(call.get("name") or "tool"), call.get("args"), tool_call_id=str(call.get("id"))
            )
            for call in item.tool_calls
        ]
    if not parts:
        return None
    last = items[-1]
    timestamp = _timestamp(last)
    return ModelResponse(parts, model_name=last.model, usage=_usage(last), **timestamp)


def _answer_part(block: Block) -> Any:
    if block["type"] == "text":
        return TextPart(block["text"])
    if block["type"] == "reasoning" and block.get("reasoning"):
        return ThinkingPart(block["reasoning"])
    text = _description(block)
    return TextPart(text) if text else None


def _tool_return(item: Item, names: CallNames) -> ToolReturnPart:
    call_id = item.tool_call_id or ""
    timestamp = _timestamp(item)
    return ToolReturnPart(
        item.name or names.get(call_id, "tool"),
        _result(item),
        tool_call_id=call_id,
        outcome="failed" if item.status == "error" else "success",
        **timestamp,
    )


def _result(item: Item) -> Any:
    if isinstance(item.content, str):
        return item.content
    if len(item.content) == 1 and item.content[0]["type"] == "json":
        return item.content[0].get("value")
    parts = [part for block in item.content if (part := _prompt_part(block)) is not None]
    return "\n".join(parts) if all(isinstance(part, str) for part in parts) else parts


def _prompt(item: Item) -> Any:
    if isinstance(item.content, str):
        return item.content
    parts = [part for block in item.content if (part := _prompt_part(block)) is not None]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else parts


def _prompt_part(block: Block) -> Any:
    kind = block["type"]
    if kind == "text":
        return block["text"]
    if kind in _URLS:
        if block.get("base64") and (data := _decoded(block["base64"])) is not None:
            media_type = block.get("mime_type") or _FALLBACK_TYPES[kind]
            return BinaryContent(data, media_type=media_type)
        if block.get("url"):
            return _URLS[kind](block["url"])
    return _description(block)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _description(block: Block) -> str | None:
    """A text that stands for a block that the framework has no part for."""
    kind = block["type"]
    if kind == "reasoning":
        return None
    if kind == "json":
        return json.dumps(block.get("value"), ensure_ascii=False)
    if kind == "opaque":
        return None
    return f"[{kind}: {block.get('url') or block.get('file_id') or 'media'}]"


def _blocks(item: Item) -> list[Block]:
    if isinstance(item.content, str):
        return [{"type": "text", "text": item.content}] if item.content else []
    return item.content


def _timestamp(item: Item) -> dict[str, Any]:
    return {} if item.created_at is None else {"timestamp": item.created_at}


def _usage(item: Item) -> RequestUsage:
    usage = item.usage or {}
    input_tokens, output_tokens = (
        count if type(count := usage.get(name)) is int and count >= 0 else 0
        for name in ("input_tokens", "output_tokens")
    )
    return RequestUsage(input_tokens=input_tokens, output_tokens=output_tokens)
