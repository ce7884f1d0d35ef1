"""Show a model only the newest media; older ones become words that name their type and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.types import Item, Json
from threadkeep.window.policies.traits import PolicyTraits
from threadkeep.window.shorten.raw import with_texts

MEDIA_TYPES: Final = frozenset({"image", "audio", "video", "file"})


@dataclass(frozen=True)
class MaxMedia:
    """The newest `limit` media of a conversation; see `max_media`."""

    limit: int
    name: ClassVar[str] = "max_media"
    traits: ClassVar[PolicyTraits] = PolicyTraits(sound=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        remaining_count = self.limit
        limited_items: list[Item] = []
        for item in reversed(items):
            media_count = _media_count(item)
            limited_items.append(
                item
                if media_count <= remaining_count
                else _without_media(item, media_count - remaining_count)
            )
            remaining_count = max(0, remaining_count - media_count)
        return limited_items[::-1]


def max_media(n: int) -> MaxMedia:
    """Show at most `n` images, audios, videos and files: the newest; 0 shows none.

    An older one becomes a text such as `[image/png, 12 kB, not shown]`, in the window only.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ConfigError(f"max_media must be a whole number of at least 0, got {shown(n)}")
    return MaxMedia(n)


def _media_count(item: Item) -> int:
    if isinstance(item.content, str):
        return 0
    return sum(block["type"] in MEDIA_TYPES for block in item.content)


def _without_media(item: Item, excess_count: int) -> Item:
    """The item with words in place of its first `excess_count` media."""
    content_blocks: list[dict[str, Json]] = []
    for block in item.content:
        if isinstance(block, dict) and block["type"] in MEDIA_TYPES and excess_count:
            content_blocks.append({"type": "text", "text": _words(block)})
            excess_count -= 1
        elif isinstance(block, dict):
            content_blocks.append(dict(block))
    return with_texts(item, content_blocks, None)


def _words(block: dict[str, Json]) -> str:
    base64_data = block.get("base64")
    size_note = f", {_readable(len(base64_data) * 3 // 4)}" if isinstance(base64_data, str) else ""
    return f"[{block.get('mime_type') or block['type']}{size_note}, not shown]"


def _readable(size: int) -> str:
    return f"{size} bytes" if size < 1_000 else f"{size / 1_000:,.0f} kB"
