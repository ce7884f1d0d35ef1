"""Neighbours of one role as one message, for models that insist on alternating roles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from threadkeep.types import Item, Json

_ANSWERS: Final = frozenset({"tool", "function"})


@dataclass(frozen=True)
class AlternateRoles:
    """Neighbours of one role as one item, a blank line between; see `alternate_roles`."""

    sound: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        merged: list[Item] = []
        last = -1  # a result that comes late stands between the messages of one speaker
        for item in items:
            if last >= 0 and _mergeable(merged[last], item):
                merged[last] = _merge(merged[last], item)
                continue
            merged.append(item)
            if item.role not in _ANSWERS:
                last = len(merged) - 1
        return merged


def alternate_roles() -> AlternateRoles:
    """Merge neighbours of one role, in the view only.

    Tool results, and messages with tool calls or reasoning, are never merged.
    """
    return AlternateRoles()


def _mergeable(first: Item, second: Item) -> bool:
    return first.role == second.role and _plain(first) and _plain(second)


def _plain(item: Item) -> bool:
    if item.type != "message" or item.tool_calls or item.role in _ANSWERS:
        return False
    return isinstance(item.content, str) or all(b["type"] != "reasoning" for b in item.content)


def _merge(first: Item, second: Item) -> Item:
    return dataclasses.replace(
        first,
        content=_joined(first.content, second.content),
        name=first.name if first.name == second.name else None,
        metadata={**second.metadata, **first.metadata},
        raw=None,
    )


def _joined(
    first: str | list[dict[str, Json]], second: str | list[dict[str, Json]]
) -> str | list[dict[str, Json]]:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}" if first and second else first or second
    return [*_blocks(first), *_blocks(second)]


def _blocks(content: str | list[dict[str, Json]]) -> list[dict[str, Json]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content
