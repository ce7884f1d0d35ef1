"""How much of a history stays: merged first, then counted in turns, then in characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from threadkeep.api.session import Session
from threadkeep.service.codec import Turn, turns
from threadkeep.types import Item


@dataclass(frozen=True, slots=True)
class HistoryPolicy:
    """A window policy, exact to the turn and to the character; the newest turn always stays.

    Attributes:
        max_characters: how long the turns kept are together, at most; `None` = any length.
        max_turns: how many turns are kept, at most; `None` = any number.
        merge: neighbours of one role are one turn.
    """

    max_characters: int | None = 50_000
    max_turns: int | None = 40
    merge: bool = True
    sound: ClassVar[bool] = True

    @property
    def reach(self) -> int:
        """How many items the first read should bring: two for each turn, within reason."""
        return max(64, min(500, 2 * (self.max_turns or 0)))

    @property
    def unlimited(self) -> bool:
        """Whether everything stays."""
        return self.max_characters is None and self.max_turns is None

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        kept = self.turns(items)
        return list(items[kept[0].start :]) if kept else list(items)

    def need(self, items: Sequence[Item]) -> bool:
        """Whether older items could still enter: none was left out so far."""
        found = turns(list(items), merge=self.merge)
        return len(self._kept(found)) == len(found)

    def turns(self, items: Sequence[Item]) -> list[Turn]:
        """The turns that stay, oldest first."""
        return self._kept(turns(list(items), merge=self.merge))

    def _kept(self, found: list[Turn]) -> list[Turn]:
        newest = found if self.max_turns is None else found[-self.max_turns :]
        if self.max_characters is None:
            return newest
        spent, front = 0, len(newest)
        for place in range(len(newest) - 1, -1, -1):
            spent += newest[place].characters
            if spent > self.max_characters and front < len(newest):
                break
            front = place
        return newest[front:]


def read(chat: Session, policy: HistoryPolicy) -> tuple[list[Turn], int]:
    """The turns of a session that the policy keeps, and how many items they begin before the end.

    Reads newest first, as far as the policy needs.
    """
    size = policy.reach
    items: list[Item] = chat.items(last=size)
    more = len(items) == size
    while more and policy.need(items):
        size *= 2
        older = chat.items(last=size, before=items[0].seq)
        items, more = [*older, *items], len(older) == size
    kept = policy.turns(items)
    return kept, len(items) - kept[0].start if kept else 0
