"""The window policy of a history: merges turns, then limits turns, then characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threadkeep.api.session import Session
from threadkeep.policies import PolicyTraits
from threadkeep.service.codec import HistoryTurn, turns
from threadkeep.types import Item


@dataclass(frozen=True, slots=True)
class HistoryPolicy:
    """A window policy, exact to the turn and to the character; the newest turn always stays.

    Attributes:
        max_characters: maximum total length of the turns; `None` = unlimited.
        max_turns: maximum number of turns; `None` = unlimited.
        merge: merge neighbours of one role into one turn.
    """

    max_characters: int | None = 50_000
    max_turns: int | None = 40
    merge: bool = True

    @property
    def reach(self) -> int:
        """Number of items of the first read: two for each turn, between 64 and 500."""
        return max(64, min(500, 2 * (self.max_turns or 0)))

    @property
    def traits(self) -> PolicyTraits:
        return PolicyTraits(reach=self.reach, sound=True)

    @property
    def unlimited(self) -> bool:
        """Returns True if the policy keeps everything."""
        return self.max_characters is None and self.max_turns is None

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        selected_turns = self.turns(items)
        return list(items[selected_turns[0].start :]) if selected_turns else list(items)

    def need(self, items: Sequence[Item]) -> bool:
        """Returns True if older items could still fit: no turn was left out so far."""
        all_turns = turns(list(items), merge=self.merge)
        return len(self._select(all_turns)) == len(all_turns)

    def turns(self, items: Sequence[Item]) -> list[HistoryTurn]:
        """The turns that the policy keeps, oldest first."""
        return self._select(turns(list(items), merge=self.merge))

    def _select(self, all_turns: list[HistoryTurn]) -> list[HistoryTurn]:
        first_index, turn_count, characters = len(all_turns), 0, 0
        for turn_index in range(len(all_turns) - 1, -1, -1):
            turn = all_turns[turn_index]
            if not turn.is_action:
                turn_count += 1
                characters += turn.characters
                if not self._fits(turn_count, characters):
                    break
            first_index = turn_index
        return all_turns[first_index:]

    def _fits(self, turn_count: int, characters: int) -> bool:
        """Whether so many of the newest turns fit; the newest one always does."""
        too_many = self.max_turns is not None and turn_count > self.max_turns
        too_long = self.max_characters is not None and characters > self.max_characters
        return not too_many and (not too_long or turn_count == 1)


def read_turns(chat: Session, policy: HistoryPolicy) -> tuple[list[HistoryTurn], int]:
    """The turns of a session that the policy keeps, and the number of items they consist of.

    Reads newest first, as far as the policy needs.
    """
    page_size = policy.reach
    items: list[Item] = chat.items(last=page_size)
    has_more = len(items) == page_size
    while has_more and policy.need(items):
        page_size *= 2
        older_items = chat.items(last=page_size, before=items[0].seq)
        items, has_more = [*older_items, *items], len(older_items) == page_size
    selected_turns = policy.turns(items)
    return selected_turns, len(items) - selected_turns[0].start if selected_turns else 0
