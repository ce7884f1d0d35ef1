"""Convert the content of items that other frameworks wrote to parts of Pydantic AI's messages."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    TextPart,
    ThinkingPart,
    VideoUrl,
)

from threadkeep import Item

Block = dict[str, Any]
"""A part of an item's content."""

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


def answer_part(block: Block) -> Any:
    """The part of an answer that a block becomes; `None` if it says nothing."""
    if block["type"] == "text":
        return TextPart(block["text"])
    if block["type"] == "reasoning" and block.get("reasoning"):
        return ThinkingPart(block["reasoning"])
    description = _description(block)
    return TextPart(description) if description else None


def result_of(item: Item) -> Any:
    """What a tool returned."""
    if isinstance(item.content, str):
        return item.content
    if len(item.content) == 1 and item.content[0]["type"] == "json":
        return item.content[0].get("value")
    parts = [part for block in item.content if (part := _prompt_part(block)) is not None]
    return "\n".join(parts) if all(isinstance(part, str) for part in parts) else parts


def prompt_of(item: Item) -> Any:
    """The content of a prompt of the user."""
    if isinstance(item.content, str):
        return item.content
    parts = [part for block in item.content if (part := _prompt_part(block)) is not None]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else parts


def _prompt_part(block: Block) -> Any:
    block_type = block["type"]
    if block_type == "text":
        return block["text"]
    if block_type in _URLS:
        if block.get("base64") and (media_bytes := _decoded(block["base64"])) is not None:
            media_type = block.get("mime_type") or _FALLBACK_TYPES[block_type]
            return BinaryContent(media_bytes, media_type=media_type)
        if block.get("url"):
            return _URLS[block_type](block["url"])
    return _description(block)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _description(block: Block) -> str | None:
    """A text that stands for a block that the framework has no part for."""
    block_type = block["type"]
    if block_type == "reasoning":
        return None
    if block_type == "json":
        return json.dumps(block.get("value"), ensure_ascii=False)
    if block_type == "opaque":
        return None
    return f"[{block_type}: {block.get('url') or block.get('file_id') or 'media'}]"
