"""What of an item is read as part of a conversation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.longterm.markers import is_injected
from threadkeep.types import Item

MAX_CHARACTERS: Final = 4_000
"""Characters that are read of one item."""


_ROLES: Final = ("user", "assistant")


def is_withdrawn(item: Item) -> bool:
    """Whether an item that is there does not belong to the conversation any more.

    The one place to say so, for items that are kept but hidden: they are not read, and what came
    of them goes as it does when they are removed.
    """
    return item.hidden


def spoken_text(item: Item) -> str:
    """What was said in it: never by tools, files, notices, systems, or by memory itself."""
    if is_withdrawn(item):
        return ""
    if item.type != "message" or item.role not in _ROLES or item.tool_call_id:
        return ""
    text = item.text if isinstance(item.content, str) else "\n".join(_text_blocks(item.content))
    text = text.strip()
    return "" if is_injected(text) else text


def readable_text(engine: Engine, item: Item) -> str:
    """What is read of an item."""
    item_text = spoken_text(item)
    return (redacted(engine, item_text, "item") or "")[:MAX_CHARACTERS] if item_text else ""


def version_of(text: str) -> str:
    """A digest of what was read of an item, to know whether it still says the same."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _text_blocks(blocks: Sequence[dict[str, object]]) -> Iterator[str]:
    """Text blocks: none of files, and none that memory put there."""
    for block in blocks:
        block_text = block.get("text")
        if (
            block.get("type") == "text"
            and isinstance(block_text, str)
            and not is_injected(block_text)
        ):
            yield block_text
