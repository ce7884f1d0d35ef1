"""Policies that are no budgets: by age, by field, and the pin on system messages."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from threadkeep.errors import ConfigError
from threadkeep.groups import flat, group
from threadkeep.policies.units import Pinned, each, newest_user_turn, nothing
from threadkeep.suggest import nearest
from threadkeep.types import Item


@dataclass(frozen=True)
class MaxAge:
    """Groups with an item that is at most `seconds` old, and the newest user turn."""

    seconds: float
    now: float | None = None
    pinned: Pinned = nothing
    sound: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        units = each(group(items)[0])
        must = newest_user_turn(units)
        kept = [
            unit
            for number, unit in enumerate(units)
            if number in must or any(self._stays(item) for g in unit for item in g.items)
        ]
        return flat(g for unit in kept or units[-1:] for g in unit)

    def need(self, items: Sequence[Item]) -> bool:
        """Whether the oldest item is young enough for older ones to be so too."""
        return not items or self._fresh(items[0])

    def bind(self, *, now: float, pinned: Pinned) -> MaxAge:
        return MaxAge(self.seconds, now, pinned)

    def _stays(self, item: Item) -> bool:
        return self._fresh(item) or self.pinned(item)

    def _fresh(self, item: Item) -> bool:
        now = time.time() if self.now is None else self.now
        return item.created_at is None or item.created_at.timestamp() >= now - self.seconds


def max_age(seconds: float) -> MaxAge:
    """Nothing said more than `seconds` ago."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ConfigError(f"max_age must be a number of seconds above 0, got {seconds!r}")
    return MaxAge(float(seconds))


@dataclass(frozen=True)
class KeepSystem:
    """System messages out of reach of every budget; see `keep_system`."""

    head: int = 4
    sound: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> Sequence[Item]:
        return items

    def pin(self, item: Item) -> bool:
        """Whether budgets must leave the item alone."""
        return item.role in {"system", "developer"}


def keep_system() -> KeepSystem:
    """Keep system messages: those that open the conversation, and those within the look-back."""
    return KeepSystem()


@dataclass(frozen=True)
class Only:
    """Items whose fields are as said; see `only`. A filter, not a budget."""

    wanted: tuple[tuple[str, Any], ...]
    filters: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if all(self._fits(item, *want) for want in self.wanted)]

    def _fits(self, item: Item, name: str, want: Any) -> bool:
        value = getattr(item, name)
        return value in want if isinstance(want, (list, tuple, set, frozenset)) else value == want


def only(**fields: Any) -> Only:
    """Only items whose fields have the value, or one of the values: `only(role=["user"])`."""
    known = [field.name for field in dataclasses.fields(Item)]
    for name in fields:
        if name not in known:
            raise ConfigError(f"only(): an Item has no {name!r}{nearest(name, known)}")
    if not fields:
        raise ConfigError("only() needs at least one field of an Item, such as role='user'")
    return Only(tuple(fields.items()))
