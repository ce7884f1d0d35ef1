"""Convert Pydantic AI's messages to items and back; what it wrote comes back equal.

A response is one item, and a request one item for each of its parts, as other frameworks have
them. Each item keeps its own part verbatim, so that forgetting one leaves nothing of it in another.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
)

from pydantic_ai_threadkeep.binaries import wide_paths, widen
from pydantic_ai_threadkeep.item_fields import NOTICE, part_fields, response_fields
from threadkeep import Item
from threadkeep.adapters.codec import payload_of
from threadkeep.adapters.json_values import object_text

FORMAT: Final = "pydantic-ai/1"

Dump = dict[str, Any]

_log = logging.getLogger("threadkeep.pydantic_ai")


class MessagePosition(NamedTuple):
    """Where an item stands: the entry it belongs to, and which of its parts it is."""

    entry: str
    part: int
    parts: int


def to_items(entry: str, message: ModelMessage) -> list[Item]:
    """Convert a message to the items of an entry; the last one has the entry's id.

    Args:
        entry: the id of the entry.
        message: a request or a response.
    """
    (dump,) = ModelMessagesTypeAdapter.dump_python([message], mode="json", fallback=_as_text)
    dump = _without_nulls(message, dump)
    part_dumps = list(map(_without_nulls, message.parts, dump.pop("parts")))
    if isinstance(message, ModelResponse):
        raw_data = {"message": {**dump, "parts": part_dumps}, **_marks(message.parts)}
        return [_item(entry, 0, 1, response_fields(message, part_dumps), raw_data)]
    part_count = max(len(message.parts), 1)
    items = []
    for part_index in range(part_count):
        raw_data = {"message": dump} if part_index == part_count - 1 else {}
        item_fields: dict[str, Any] = NOTICE
        if message.parts:
            part = message.parts[part_index]
            item_fields = part_fields(part, part_dumps[part_index])
            raw_data = {"part": part_dumps[part_index], **raw_data, **_marks([part])}
        items.append(_item(entry, part_index, part_count, item_fields, raw_data))
    return items


def place_of(item: Item) -> MessagePosition | None:
    """Where a native item stands; `None` for one that others wrote or changed."""
    if item.raw is None or payload_of(item, FORMAT) is None:
        return None
    entry_id, part_index, part_count = map(item.raw.get, ("entry", "part", "count"))
    if isinstance(entry_id, str) and type(part_index) is int and type(part_count) is int:
        return MessagePosition(entry_id, part_index, part_count)
    return None


def native_message(items: Sequence[Item]) -> ModelMessage | None:
    """The message of an entry's items; `None` if it cannot be read any more.

    Of a request whose parts were forgotten in part, the others are left.
    """
    item_payloads = [(item.raw or {})["data"] for item in items]
    message_dump = item_payloads[-1].get("message") or {"kind": "request"}
    dump = message_dump
    if message_dump.get("kind") != "response":
        parts = [item_payload["part"] for item_payload in item_payloads if "part" in item_payload]
        dump = {**message_dump, "parts": parts}
    try:
        (message,) = ModelMessagesTypeAdapter.validate_python([dump])
    except ValidationError:
        return None
    if isinstance(message, ModelResponse):
        _widen(message.parts, item_payloads[-1].get("wide", ()))
        return message
    part_payloads = [item_payload for item_payload in item_payloads if "part" in item_payload]
    for part, item_payload in zip(message.parts, part_payloads, strict=True):
        _widen([part], item_payload.get("wide", ()))
    return message


def _item(
    entry: str, part_index: int, count: int, fields: Mapping[str, Any], data: Mapping[str, Any]
) -> Item:
    item_id = entry if part_index == count - 1 else f"{entry}.{part_index}"
    envelope = {"format": FORMAT, "data": data, "entry": entry, "part": part_index, "count": count}
    return Item(id=item_id, raw=envelope, **fields)


def _as_text(value: object) -> str:
    """A text for an object that is not JSON: a tool's metadata, which no model sees, may hold any.

    A run must not end for it.
    """
    _warn_once(f"{type(value).__module__}.{type(value).__qualname__}")
    return object_text(value)


@functools.lru_cache(maxsize=256)
def _warn_once(class_name: str) -> None:
    _log.warning("a %s in a message is not JSON: it will come back as a text", class_name)


def _without_nulls(value: Any, dump: Mapping[str, Any]) -> Dump:
    """The dump of a message or part without the fields that are null unless set."""
    cls: Any = type(value)
    optional_names = _optional_fields(cls)
    return {
        name: element
        for name, element in dump.items()
        if element is not None or name not in optional_names
    }


@functools.cache
def _optional_fields(cls: Any) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(cls) if field.default is None)


def _marks(parts: Sequence[Any]) -> Dump:
    wide_media = _wide(parts)
    return {"wide": wide_media} if wide_media else {}


def _wide(parts: Sequence[Any]) -> list[list[Any]]:
    """The number of a part and the path in its content, for media that come back narrower."""
    contents = enumerate(getattr(part, "content", None) for part in parts)
    return [[part_index, *path] for part_index, content in contents for path in wide_paths(content)]


def _widen(parts: Sequence[Any], paths: Sequence[Sequence[Any]]) -> None:
    for part_index, *path in paths:
        parts[part_index].content = widen(parts[part_index].content, path)
