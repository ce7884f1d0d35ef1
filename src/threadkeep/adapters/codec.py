"""What the codecs of several adapters do alike: a message's parts become items with content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, TypeVar

from threadkeep.types import Item

Part = TypeVar("Part")
Block = dict[str, Any]

_MEDIA: Final = frozenset({"image", "audio", "video"})


def payload_of(item: Item, format: str) -> dict[str, Any] | None:
    """What a framework wrote of an item in its format; `None` if another one wrote it."""
    raw_item = item.raw or {}
    payload = raw_item.get("data")
    return payload if raw_item.get("format") == format and isinstance(payload, dict) else None


def results_apart(parts: Sequence[Part], is_result: Callable[[Part], bool]) -> Iterator[list[Part]]:
    """The parts of a message by item: each tool's result alone, those between them together."""
    for are_results, adjacent_parts in groupby(parts, is_result):
        if are_results:
            yield from ([part] for part in adjacent_parts)
        else:
            yield list(adjacent_parts)


def content_of(
    parts: Sequence[Part],
    to_block: Callable[[Part], Block | None],
    without_bytes: Callable[[Part, Block | None, int], Part],
) -> tuple[str | list[Block], list[Part]]:
    """The content of an item, and its parts with references to the bytes that the content has."""
    content_blocks: list[Block] = []
    slim_parts: list[Part] = []
    for part in parts:
        block = to_block(part)
        slim_parts.append(without_bytes(part, block, len(content_blocks)))
        content_blocks += [] if block is None else [block]
    return text_or_blocks(content_blocks), slim_parts


def text_or_blocks(blocks: list[Block]) -> str | list[Block]:
    """Blocks as the content of an item: one that is a text as that, none as an empty text."""
    if len(blocks) == 1 and blocks[0]["type"] == "text":
        return str(blocks[0]["text"])
    return blocks or ""


def media_block(mime_type: str | None, **source: str) -> Block:
    """The neutral block of media, by their type; what is none of them is a file."""
    media_type = str(mime_type or "").partition("/")[0]
    mime_field = {"mime_type": mime_type} if mime_type else {}
    return {"type": media_type if media_type in _MEDIA else "file", **source, **mime_field}
