"""Merge adjacent messages of one role, for models that require alternating roles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from threadkeep.messages.content import as_blocks
from threadkeep.types import Item, Json
from threadkeep.window.policies.traits import PolicyTraits

_RESULT_ROLES: Final = frozenset({"tool", "function"})


@dataclass(frozen=True)
class AlternateRoles:
    """Merges adjacent items of one role, separated by a blank line; see `alternate_roles`."""

    traits: ClassVar[PolicyTraits] = PolicyTraits(sound=True, merges=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        merged_items: list[Item] = []
        last_index = -1  # a late tool result may be between the messages of one speaker
        for item in items:
            if last_index >= 0 and _can_merge(merged_items[last_index], item):
                merged_items[last_index] = _merge(merged_items[last_index], item)
                continue
            merged_items.append(item)
            if item.role not in _RESULT_ROLES:
                last_index = len(merged_items) - 1
        return merged_items


def alternate_roles() -> AlternateRoles:
    """Merge adjacent messages of one role, in the window only.

    Tool results, and messages with tool calls or reasoning, are never merged.
    """
    return AlternateRoles()


def _can_merge(first: Item, second: Item) -> bool:
    return first.role == second.role and _is_plain_message(first) and _is_plain_message(second)


def _is_plain_message(item: Item) -> bool:
    if item.type != "message" or item.tool_calls or item.role in _RESULT_ROLES:
        return False
    return isinstance(item.content, str) or all(
        block["type"] != "reasoning" for block in item.content
    )


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
    return [*as_blocks(first), *as_blocks(second)]
