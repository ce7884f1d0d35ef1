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
        new_content: Json = trimmer.text(content)
    else:
        new_content = [trimmer.block(block) for block in content]
        if _size(new_content) > _MAX_REMAINDER:
            new_content = trimmer.marker("content", _size(content))
    calls = [
        {name: trimmer.value(name, value) for name, value in call.items()}
        for call in item.tool_calls
    ]
    metadata = {key: trimmer.value(key, value) for key, value in item.metadata.items()}
    if not trimmer.count:
        return item
    return dataclasses.replace(
        item,
        content=new_content,
        tool_calls=calls,
        metadata={**metadata, KEY: {"parts": trimmer.count, "bytes": trimmer.size}},
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
        head = parts.head(text)
        return f"{head}\n{self.marker('the rest', parts.size_of(text) - parts.size_of(head))}"

    def block(self, block: dict[str, Json]) -> dict[str, Json]:
        """A block, or a text block in its place."""
        if block["type"] == "text" and isinstance(block.get("text"), str):
            block = {**block, "text": self.text(block["text"])}
        size = _size(block)
        if size <= parts.LARGE:
            return block
        return {"type": "text", "text": self.marker(str(block["type"]), size)}

    def value(self, name: str, value: Json) -> Json:
        """JSON of a call or of metadata, or a text in its place."""
        if isinstance(value, str):
            return self.text(value)
        size = _size(value) if isinstance(value, (Mapping, list, tuple)) else 0
        return value if size <= parts.LARGE else self.marker(name, size)


def _size(value: Json) -> int:
    return len(json.dumps(value, default=str))
