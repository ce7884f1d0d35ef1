"""What of an item is read as part of a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.longterm.markers import is_injected
from threadkeep.types import Item

LONGEST: Final = 4_000
"""Characters that are read of one item."""


_ROLES: Final = ("user", "assistant")


def said(item: Item) -> str:
    """What was said in it: never by tools, files, notices, systems, or by memory itself."""
    if item.type != "message" or item.role not in _ROLES or item.tool_call_id:
        return ""
    text = item.text if isinstance(item.content, str) else "\n".join(_plain(item.content))
    text = text.strip()
    return "" if is_injected(text) else text


def readable(engine: Engine, item: Item) -> str:
    """What is read of an item."""
    text = said(item)
    return (redacted(engine, text, "item") or "")[:LONGEST] if text else ""


def _plain(blocks: Sequence[dict[str, object]]) -> Iterator[str]:
    """Text blocks: none of files, and none that memory put there."""
    for block in blocks:
        text = block.get("text")
        if block.get("type") == "text" and isinstance(text, str) and not is_injected(text):
            yield text
