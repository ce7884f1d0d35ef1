"""Policies other than budgets: by age, by field, and pinned system messages."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.messages.tool_groups import (
    ToolGroup,
    flatten,
    speaker,
    tool_groups,
)
from threadkeep.printable import shown
from threadkeep.types import Item
from threadkeep.window.policies.traits import PolicyTraits
from threadkeep.window.policies.units import PinPredicate, pins_nothing, required_groups


@dataclass(frozen=True)
class MaxAge:
    """The newest groups, up to the first that is more than `seconds` old.

    The newest user message and the last step stay however old they are.
    The date of a group is that of its last item; a group without a date counts as new.
    """

    seconds: float
    now: float | None = None
    pinned: PinPredicate = pins_nothing
    name: ClassVar[str] = "max_age"
    traits: ClassVar[PolicyTraits] = PolicyTraits(sound=True, part=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        groups = tool_groups(items)[0]
        start_index = self._start(groups)
        required_group_indexes = required_groups(groups)
        selected_groups = [
            group
            for group_index, group in enumerate(groups)
            if group_index >= start_index
            or group_index in required_group_indexes
            or any(map(self.pinned, group.heads))
        ]
        return flatten(selected_groups or groups[-1:])

    def need(self, items: Sequence[Item]) -> bool:
        """Return True if older items could be recent enough, because all of these are."""
        return self._start(tool_groups(items)[0]) == 0

    def bind(self, *, now: float, pinned: PinPredicate) -> MaxAge:
        return MaxAge(self.seconds, now, pinned)

    def _start(self, groups: Sequence[ToolGroup]) -> int:
        now = time.time() if self.now is None else self.now
        for group_index in range(len(groups) - 1, -1, -1):
            if self._is_old(groups[group_index], now):
                return group_index + 1
        return 0

    def _is_old(self, group: ToolGroup, now: float) -> bool:
        created_at = group.items[-1].created_at
        if created_at is None or any(map(self.pinned, group.heads)):
            return False
        return created_at.timestamp() < now - self.seconds


_FOREVER: Final = 1e18  # seconds; a float, which whole numbers can be too large for


def max_age(seconds: float) -> MaxAge:
    """Drop items that are more than `seconds` old."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ConfigError(f"max_age must be a number of seconds above 0, got {shown(seconds)}")
    return MaxAge(float(min(seconds, _FOREVER)))


@dataclass(frozen=True)
class KeepSystem:
    """Pins system messages so that no budget drops them; see `keep_system`.

    Attributes:
        head: how many of the first items are searched.
        least: how many of the newest items are read and searched.
    """

    name: ClassVar[str] = "keep_system"
    head: int = 4
    least: int = 200

    @functools.cached_property
    def traits(self) -> PolicyTraits:
        return PolicyTraits(head=self.head, least=self.least, sound=True, part=True)

    def __call__(self, items: Sequence[Item]) -> Sequence[Item]:
        return items

    def pin(self, item: Item) -> bool:
        """Return True if budgets must not drop the item."""
        return speaker(item) == "system"


def keep_system() -> KeepSystem:
    """Keep system messages: those among the first 4 items, and those among the newest 200."""
    return KeepSystem()


@dataclass(frozen=True)
class Only:
    """Items whose fields have the given values; see `only`. A filter, not a budget."""

    conditions: tuple[tuple[str, Any], ...]
    name: ClassVar[str] = "only"
    traits: ClassVar[PolicyTraits] = PolicyTraits(filters=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [
            item
            for item in items
            if all(self._matches(item, *condition) for condition in self.conditions)
        ]

    def _matches(self, item: Item, name: str, expected: Any) -> bool:
        field_value = getattr(item, name)
        return (
            field_value in expected
            if isinstance(expected, (list, tuple, set, frozenset))
            else field_value == expected
        )


def only(**fields: Any) -> Only:
    """Keep items whose fields have the value, or one of the values: `only(role=["user"])`."""
    names = [field.name for field in dataclasses.fields(Item)]
    for name in fields:
        if name not in names:
            raise ConfigError(f"only(): an Item has no {shown(name)}{did_you_mean(name, names)}")
    if not fields:
        raise ConfigError("only() needs at least one field of an Item, such as role='user'")
    return Only(tuple(fields.items()))
