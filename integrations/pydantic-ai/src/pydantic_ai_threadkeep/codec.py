"""Convert Pydantic AI's messages to items and back; what it wrote comes back equal.

A response is one item, and a request one item for each of its parts, as other frameworks have
them. Each item keeps its own part verbatim, so that forgetting one leaves nothing of it in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    UserPromptPart,
)

from pydantic_ai_threadkeep.item_fields import NOTICE, part_fields, response_fields
from threadkeep import Item

FORMAT: Final = "pydantic-ai/1"

_REQUIRED: Final = frozenset({"content", "kind", "part_kind", "parts"})
"""Fields that must be there when a message is read, even if they are null."""

Dump = dict[str, Any]


class Place(NamedTuple):
    """Where an item stands: the entry it belongs to, and which of its parts it is."""

    entry: str
    part: int
    count: int


def to_items(entry: str, message: ModelMessage) -> list[Item]:
    """Convert a message to the items of an entry; the last one has the entry's id.

    Args:
        entry: the id of the entry.
        message: a request or a response.
    """
    (dump,) = ModelMessagesTypeAdapter.dump_python([message], mode="json")
    dump = _without_defaults(dump)
    if isinstance(message, ModelResponse):
        data = {"message": {**dump, "parts": list(map(_without_defaults, dump["parts"]))}}
        return [_item(entry, 0, 1, response_fields(message, dump), data)]
    frame = {key: value for key, value in dump.items() if key != "parts"}
    count = max(len(message.parts), 1)
    items = []
    for index in range(count):
        data = {"message": frame} if index == count - 1 else {}
        fields: dict[str, Any] = NOTICE
        if message.parts:
            part, part_dump = message.parts[index], _without_defaults(dump["parts"][index])
            fields, data = part_fields(part, part_dump), {"part": part_dump, **data}
            if wide := _wide_binaries(part):
                data["wide"] = wide
        items.append(_item(entry, index, count, fields, data))
    return items


def place_of(item: Item) -> Place | None:
    """Where a native item stands; `None` for one that others wrote or changed."""
    raw = item.raw
    if raw is None or raw.get("format") != FORMAT or not isinstance(raw.get("data"), dict):
        return None
    entry, part, count = (raw.get(name) for name in ("entry", "part", "count"))
    if isinstance(entry, str) and type(part) is int and type(count) is int:
        return Place(entry, part, count)
    return None


def native_message(items: Sequence[Item]) -> ModelMessage | None:
    """The message of an entry's items; `None` if it cannot be read any more.

    Of a request whose parts were forgotten in part, the others are left.
    """
    payloads = [(item.raw or {})["data"] for item in items]
    frame = payloads[-1].get("message") or {"kind": "request"}
    dump = frame
    if frame.get("kind") != "response":
        parts = [payload["part"] for payload in payloads if "part" in payload]
        dump = {**frame, "parts": parts}
    try:
        (message,) = ModelMessagesTypeAdapter.validate_python([dump])
    except ValidationError:
        return None
    for part, payload in zip(message.parts, payloads, strict=False):
        if isinstance(message, ModelRequest) and (wide := payload.get("wide")):
            _widen(part, wide)
    return message


def _item(
    entry: str, part: int, count: int, fields: Mapping[str, Any], data: Mapping[str, Any]
) -> Item:
    id = entry if part == count - 1 else f"{entry}.{part}"
    raw = {"format": FORMAT, "data": data, "entry": entry, "part": part, "count": count}
    return Item(id=id, raw=raw, **fields)


def _without_defaults(dump: Mapping[str, Any]) -> Dump:
    """A dump without what it says by itself: null is the default of all fields but a few."""
    return {key: value for key, value in dump.items() if value is not None or key in _REQUIRED}


def _wide_binaries(part: Any) -> list[int]:
    """Where a prompt holds media as `BinaryContent` that is read back as a narrower class."""
    if not isinstance(part, UserPromptPart) or isinstance(part.content, str):
        return []
    return [
        index
        for index, content in enumerate(part.content)
        if type(content) is BinaryContent
        and type(BinaryContent.narrow_type(content)) is not BinaryContent
    ]


def _widen(part: Any, indexes: Sequence[int]) -> None:
    content = list(part.content)
    for index in indexes:
        narrow = content[index]
        content[index] = BinaryContent(
            narrow.data,
            media_type=narrow.media_type,
            vendor_metadata=narrow.vendor_metadata,
            identifier=narrow.identifier,
        )
    part.content = content
