"""Policies that are no budgets: by age, by field, and the pin on system messages."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.messages.tool_groups import (
    ToolGroup,
    flat,
    group,
    speaker,
)
from threadkeep.types import Item
from threadkeep.window.policies.units import Pinned, indispensable, nothing


@dataclass(frozen=True)
class MaxAge:
    """The newest groups down to the first that is over `seconds` old.

    The newest user turn and the last step stay however old they are.
    The date of a group is that of its last item; one without a date is young.
    """

    seconds: float
    now: float | None = None
    pinned: Pinned = nothing
    sound: ClassVar[bool] = True
    part: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        groups = group(items)[0]
        start = self._start(groups)
        must = indispensable(groups)
        kept = [
            found
            for number, found in enumerate(groups)
            if number >= start or number in must or any(map(self.pinned, found.heads))
        ]
        return flat(kept or groups[-1:])

    def need(self, items: Sequence[Item]) -> bool:
        """Whether older items could be young enough: all of these are."""
        return self._start(group(items)[0]) == 0

    def bind(self, *, now: float, pinned: Pinned) -> MaxAge:
        return MaxAge(self.seconds, now, pinned)

    def _start(self, groups: Sequence[ToolGroup]) -> int:
        now = time.time() if self.now is None else self.now
        for number in range(len(groups) - 1, -1, -1):
            if self._is_old(groups[number], now):
                return number + 1
        return 0

    def _is_old(self, found: ToolGroup, now: float) -> bool:
        said = found.items[-1].created_at
        if said is None or any(map(self.pinned, found.heads)):
            return False
        return said.timestamp() < now - self.seconds


def max_age(seconds: float) -> MaxAge:
    """Nothing said more than `seconds` ago."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ConfigError(f"max_age must be a number of seconds above 0, got {seconds!r}")
    return MaxAge(float(seconds))


@dataclass(frozen=True)
class KeepSystem:
    """System messages out of reach of every budget; see `keep_system`.

    Attributes:
        head: how many of the first items are looked at.
        least: how many of the newest items are looked at, and so read.
    """

    head: int = 4
    least: int = 200
    sound: ClassVar[bool] = True
    part: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> Sequence[Item]:
        return items

    def pin(self, item: Item) -> bool:
        """Whether budgets must leave the item alone."""
        return speaker(item) == "system"


def keep_system() -> KeepSystem:
    """Keep system messages: those among the first 4 items, and those among the newest 200."""
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
            raise ConfigError(f"only(): an Item has no {name!r}{did_you_mean(name, known)}")
    if not fields:
        raise ConfigError("only() needs at least one field of an Item, such as role='user'")
    return Only(tuple(fields.items()))
