"""Reads the large parts of those items that a window shows, and of no other."""

from __future__ import annotations

from collections.abc import Iterable

from threadkeep.core.parts import PartialMetadata
from threadkeep.messages.tool_groups import is_tool_result
from threadkeep.sessions import blob_load
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item


class LargeParts:
    """The items of a session whose large parts a window has met, for one verb.

    Policies first see these items without their large parts, or with the beginning of a text.
    They choose again when the parts of the items they chose were read, so that a window is as if
    they had been there from the start.

    Args:
        stream: of the session.
        all_at_once: read the parts of every item, since a policy may look into it.
        results_at_once: read those of every tool result, since it may be cut to fit.
    """

    def __init__(self, stream: SessionStream, *, all_at_once: bool, results_at_once: bool) -> None:
        self._stream = stream
        self._all_at_once, self._results_at_once = all_at_once, results_at_once
        self._partial: dict[str, Item] = {}
        self._loaded: dict[str, Item] = {}

    def fill(self, items: list[Item]) -> list[Item]:
        """The items, with the parts that were read."""
        if not items:
            return items
        partial_by_id = {item.id: item for item in items if type(item.metadata) is PartialMetadata}
        if not partial_by_id:
            return items
        self._partial |= partial_by_id
        needed_ids = {
            item_id
            for item_id, item in partial_by_id.items()
            if self._all_at_once or self._is_result(item)
        }
        if missing_ids := needed_ids - self._loaded.keys():
            self._load(missing_ids)
        if not self._loaded:
            return items
        return [
            self._loaded.get(item.id, item) if item.id in partial_by_id else item for item in items
        ]

    def _is_result(self, item: Item) -> bool:
        return self._results_at_once and is_tool_result(item)

    def load_shown(self, window: Iterable[Item]) -> bool:
        """Read the parts of the items that are shown; returns True if there were some to read."""
        if not self._partial:
            return False
        partial_ids = {item.id for item in window if item.id in self._partial}
        missing_ids = partial_ids - self._loaded.keys()
        if missing_ids:
            self._load(missing_ids)
        return bool(missing_ids)

    def _load(self, ids: Iterable[str]) -> None:
        partial_items = [self._partial[item_id] for item_id in ids]
        loaded_items = blob_load.load(self._stream.engine, self._stream.id, partial_items)
        self._loaded |= {item.id: item for item in loaded_items}
