"""Messages without what exceeds a limit: a text in its place says what was left out.

For code that must not fail in the middle of a run, whatever a user, a model or a tool sent.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Final

from threadkeep.core import parts
from threadkeep.core.redaction import identity_of_raw
from threadkeep.types import Item, Json

KEY: Final = "left_out"
"""The key of the metadata that says how much was left out: `{"parts", "bytes"}`."""

_MAX_REMAINDER: Final = 1_000_000  # bytes of many parts that are not large themselves


def without_large_parts(item: Item) -> Item:
    """The item with a text in the place of each part over 64 kB, and without its raw payload."""
    trimmer = _Trimmer()
    content = item.content
    if isinstance(content, str):
        trimmed_content: Json = trimmer.text(content)
    else:
        trimmed_content = [trimmer.block(block) for block in content]
        if _size(trimmed_content) > _MAX_REMAINDER:
            trimmed_content = trimmer.marker("content", _size(content))
    trimmed_calls = [
        {key: trimmer.value(key, value) for key, value in tool_call.items()}
        for tool_call in item.tool_calls
    ]
    trimmed_metadata = {key: trimmer.value(key, value) for key, value in item.metadata.items()}
    if not trimmer.count:
        return item
    return dataclasses.replace(
        item,
        content=trimmed_content,
        tool_calls=trimmed_calls,
        metadata={**trimmed_metadata, KEY: {"parts": trimmer.count, "bytes": trimmer.size}},
        raw=identity_of_raw(item.raw),
    )


class _Trimmer:
    """Replaces large parts, and counts them."""

    def __init__(self) -> None:
        self.count = self.size = 0

    def marker(self, noun: str, size: int) -> str:
        """The text in the place of a part."""
        self.count += 1
        self.size += size
        return f"[{noun} left out: {size:,} bytes are too much to be stored]"

    def text(self, text: str) -> str:
        """A text, or the beginning of a large one."""
        if not parts.is_large(text):
            return text
        text_head = parts.head(text)
        left_out_size = parts.size_of(text) - parts.size_of(text_head)
        return f"{text_head}\n{self.marker('the rest', left_out_size)}"

    def block(self, block: dict[str, Json]) -> dict[str, Json]:
        """A block, or a text block in its place."""
        if block["type"] == "text" and isinstance(block.get("text"), str):
            block = {**block, "text": self.text(block["text"])}
        block_size = _size(block)
        if block_size <= parts.LARGE:
            return block
        return {"type": "text", "text": self.marker(str(block["type"]), block_size)}

    def value(self, name: str, value: Json) -> Json:
        """JSON of a call or of metadata, or a text in its place."""
        if isinstance(value, str):
            return self.text(value)
        value_size = _size(value) if isinstance(value, (Mapping, list, tuple)) else 0
        return value if value_size <= parts.LARGE else self.marker(name, value_size)


def _size(value: Json) -> int:
    return len(json.dumps(value, default=str))
