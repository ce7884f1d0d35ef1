"""Cut the texts of one tool result to a size."""

from __future__ import annotations

from typing import Final

from threadkeep.types import Item, Json
from threadkeep.window import tokens
from threadkeep.window.shorten.caps import ResultCap, level
from threadkeep.window.shorten.raw import with_texts
from threadkeep.window.shorten.texts import cut_points

TEXT_BLOCKS: Final = frozenset({"text", "json"})
"""The blocks that may be cut; media have a flat size, and opaque parts are never cut."""

MARKER: Final = "\n[... {} of {:,} characters left out ...]\n"
READABLE_MARKER: Final = (
    '\n[... {} of {:,} characters left out; read_more(handle="{}", start={}) shows them ...]\n'
)


def result_texts(item: Item) -> list[str]:
    """The texts of a result: its string content, or that of each block that has one."""
    if isinstance(item.content, str):
        return [item.content]
    return [_block_text(block) for block in item.content if block["type"] in TEXT_BLOCKS]


def whole_text(item: Item) -> str:
    """All of what can be read of a result: its texts, joined by line breaks."""
    return "\n".join(result_texts(item))


def result_size(item: Item, cap: ResultCap) -> int:
    """The size of all texts of a result, or more than any cap allows."""
    return sum(map(cap.at_least, result_texts(item)))


def shortened(item: Item, limit: int, cap: ResultCap, handle: str | None) -> Item:
    """The item with its texts cut so that they take no more than `limit` together."""
    texts = result_texts(item)
    sizes = [cap.at_least(text) for text in texts]
    if sum(sizes) <= limit:
        return item
    max_size = level(sizes, limit, min(limit, cap.fewest))
    new_by_text: dict[str, str] = {}
    content_blocks: list[dict[str, Json]] = []
    text_offset, total_length = 0, sum(map(len, texts)) + len(texts) - 1
    for block in _blocks(item):
        content_blocks.append(block)
        if block["type"] in TEXT_BLOCKS:
            text = _block_text(block)
            if cap.at_least(text) > max_size:
                new_by_text[text] = _cut(text, max_size, cap, text_offset, total_length, handle)
                content_blocks[-1] = {"type": "text", "text": new_by_text[text]}
            text_offset += len(text) + 1
    return with_texts(
        item,
        content_blocks[0]["text"] if isinstance(item.content, str) else content_blocks,
        new_by_text,
    )


def _cut(text: str, limit: int, cap: ResultCap, offset: int, total: int, handle: str | None) -> str:
    max_range = (0, len(text)) if handle is None else (offset + len(text), offset + len(text))
    start_index, end_index = cut_points(text, limit, cap.size, _marker(*max_range, total, handle))
    return (
        text[:start_index]
        + _marker(offset + start_index, offset + end_index, total, handle)
        + text[end_index:]
    )


def _marker(start: int, end: int, total: int, handle: str | None) -> str:
    if handle is None:
        return MARKER.format(f"{end - start:,}", total)
    return READABLE_MARKER.format(f"{start:,} to {end:,}", total, handle, start)


def _blocks(item: Item) -> list[dict[str, Json]]:
    if isinstance(item.content, str):
        return [{"type": "text", "text": item.content}]
    return [dict(block) for block in item.content]


def _block_text(block: dict[str, Json]) -> str:
    return block["text"] if block["type"] == "text" else tokens.as_text(block.get("value"))
