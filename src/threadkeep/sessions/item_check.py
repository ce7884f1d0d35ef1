"""Checks of the items that are stored before others are written beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from threadkeep.core.engine import Engine
from threadkeep.errors import ThreadkeepError
from threadkeep.types import Item

ItemCheck = Callable[[Mapping[str, Item]], None]
"""Raises if existing items, given by record id, conflict with the items to be written."""


def cached_items_pass(
    engine: Engine, stream_name: str, version: int, ids: Sequence[str], check: ItemCheck
) -> bool:
    """Return True if the cached items with these ids are of this version and pass the check."""
    recent_items = engine.recent_items.get(stream_name, engine.now())
    if recent_items is None or recent_items.version != version:
        return False
    items = recent_items.with_ids(ids)
    if items is None:
        return False
    item_by_id = {item.id: item.copy() for item in items}
    if any(item.hidden for item in item_by_id.values()):  # it may be of a branch that is not shown
        return False
    with suppress(ThreadkeepError):
        check(item_by_id)
        return True
    return False
