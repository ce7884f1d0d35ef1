"""What a framework stored in items of its own, and how its messages are cut into items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from threadkeep.types import Item

Part = TypeVar("Part")


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
