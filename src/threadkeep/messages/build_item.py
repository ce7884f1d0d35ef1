"""Build an item from a parsed message, with a raw payload where the fields lose something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from threadkeep.messages.fast_path import with_raw
from threadkeep.types import Item
from threadkeep.types.timestamps import parse_time

PLACEHOLDERS: Final = frozenset({"", "__fake_id__"})
"""Placeholder ids, which are never used as keys."""


def build_item(
    message: dict[str, Any],
    fields: dict[str, Any],
    location: str,
    format_: str,
    payload: dict[str, Any] | None,
    serialize: Callable[[Item], dict[str, Any] | None],
) -> Item:
    """Build the item; the raw payload is stored only if the neutral fields lose something.

    A `raw` in the message stays: the caller checks whether it still says the same.

    Args:
        message: for what all formats have: id, metadata, dates.
        fields: what it says, as fields of an item.
        location: for errors.
        format_: of the payload.
        payload: what would be stored verbatim; `None` = nothing.
        serialize: makes the payload of the item's neutral fields.
    """
    raw_created_at = message.get("created_at")
    item_fields: dict[str, Any] = {
        "id": "" if message.get("id") in PLACEHOLDERS else message.get("id", ""),
        "metadata": dict(message.get("metadata", {})),
        "created_at": None
        if raw_created_at is None
        else parse_time(raw_created_at, f"{location}.created_at"),
        **{
            key: message[key]
            for key in ("status", "model", "usage", "hidden", "raw")
            if message.get(key)
        },
    }
    item = Item(
        **(item_fields | {key: value for key, value in fields.items() if value not in (None, "")})
    )
    if item.raw is not None or payload is None or _is_same(item, payload, serialize):
        return item
    return with_raw(item, {"format": format_, "data": payload})


def _is_same(
    item: Item, payload: dict[str, Any], serialize: Callable[[Item], dict[str, Any] | None]
) -> bool:
    try:
        return serialize(item) == payload
    except (TypeError, ValueError, RecursionError):  # values that are not JSON yet
        return False
