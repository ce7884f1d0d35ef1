"""Anthropic Messages: the content of an item as the parts of a message."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.messages import schemas
from threadkeep.messages.content import (
    Block,
    as_blocks,
    describe,
    spoken_text,
)
from threadkeep.messages.tool_pairs import (
    tool_name,
)
from threadkeep.types import Item, Json

FORMAT: Final = "anthropic/1"
Message = dict[str, Any]

_IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_EXTRA_KEYS: Final = ("cache_control", "citations")


def to_blocks(item: Item, role: str) -> list[Message]:
    """The content of an item, and its calls, as parts of a message of this role."""
    is_native = (item.raw or {}).get("format") == FORMAT
    blocks = as_blocks(item.content)
    content_parts = [part for block in blocks if (part := _to_block(block, role, native=is_native))]
    return [*content_parts, *(_tool_use(tool_call) for tool_call in item.tool_calls)]


def _tool_use(tool_call: dict[str, Json]) -> Message:
    arguments = tool_call.get("args")
    arguments = arguments if isinstance(arguments, dict) else {"input": arguments}
    valid_name = tool_name(tool_call.get("name"))
    return {"type": "tool_use", "id": tool_call.get("id"), "name": valid_name, "input": arguments}


def tool_result(item: Item) -> Message:
    """The part that a tool result is."""
    content: Any = item.content
    if not isinstance(content, str):
        is_native = (item.raw or {}).get("format") == FORMAT
        content = [
            part for block in content if (part := _to_block(block, "result", native=is_native))
        ]
    result_part = {"type": "tool_result", "tool_use_id": item.tool_call_id, "content": content}
    return {**result_part, "is_error": True} if item.status == "error" else result_part


def _to_block(block: Block, role: str, *, native: bool) -> Message | None:
    """One block as a part; what only this API can read is sent if it wrote the item."""
    extras = block.get("extras") or {}
    match block["type"]:
        case "text" if any(extras.get(key) for key in _EXTRA_KEYS):
            extra_fields = {key: extras[key] for key in _EXTRA_KEYS if extras.get(key)}
            return {**text_block(block["text"]), **extra_fields}
        case "reasoning" if role == "assistant" and extras.get("redacted"):
            return {"type": "redacted_thinking", "data": extras["redacted"]}
        case "reasoning" if role == "assistant" and extras.get("signature"):
            thinking_fields = {"thinking": block["reasoning"], "signature": extras["signature"]}
            return {"type": "thinking", **thinking_fields}
        case "image" | "file" if role != "assistant" and (source := _source(block)):
            return _media_block(block, source)
        case "opaque" if schemas.is_anthropic_block(block.get("value"), role, new=native):
            return dict(block["value"])
    description = spoken_text(block) if role == "assistant" else describe(block)
    return text_block(description) if description.strip() else None


def _media_block(block: Block, source: Message) -> Message:
    extras = block.get("extras") or {}
    part_type = "image" if block["type"] == "image" else "document"
    cache_fields = {"cache_control": extras["cache_control"]} if extras.get("cache_control") else {}
    title_fields = {"title": extras["filename"]} if extras.get("filename") else {}
    return {
        "type": part_type,
        "source": source,
        **(title_fields if part_type == "document" else {}),
        **cache_fields,
    }


def _source(block: Block) -> Message | None:
    accepted_types = _IMAGE_TYPES if block["type"] == "image" else {"application/pdf"}
    if block.get("base64") and block.get("mime_type") in accepted_types:
        source_fields = {"type": "base64", "media_type": block["mime_type"]}
        return {**source_fields, "data": block["base64"]}
    if schemas.is_url(block.get("url")):
        return {"type": "url", "url": block["url"]}
    if str(block.get("file_id") or "").startswith("file_"):
        return {"type": "file", "file_id": block["file_id"]}
    return None


def text_block(text: str) -> Message:
    """A part of plain text."""
    return {"type": "text", "text": text}
