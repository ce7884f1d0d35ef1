"""How large tool results may be in a window."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from threadkeep.protocols import TokenCounter
from threadkeep.window import tokens

_SHORT: Final = 4_000  # characters; counters remember what so short a text is
_MOST_CACHED: Final = 256_000
_PER_TOKEN: Final = 8  # characters, rarely more

FEWEST_TOKENS: Final = 64
FEWEST_CHARACTERS: Final = 256
"""No budget cuts a result to less, or the marker would take the place of what it stands for."""


@dataclass(frozen=True, slots=True)
class ResultCap:
    """The largest size of tool results in a window.

    Attributes:
        each: the most that one result may take.
        step: the most that all results of one step of the model may take together.
        fewest: no result is cut to less because the others of its step are large.
        measure: the size of a text; `None` = `tokens.default()`.
    """

    each: int
    step: int | None
    fewest: int
    measure: TokenCounter | None = None

    @property
    def size(self) -> TokenCounter:
        return tokens.checked(self.measure) if self.measure else tokens.default()

    def at_least(self, text: str) -> int:
        """The size of a text; of one that is far too large, that of its beginning."""
        if len(text) <= _SHORT:
            return self.size(text)
        return _of_large(self, text) if len(text) <= _MOST_CACHED else self._of_beginning(text)

    def _of_beginning(self, text: str) -> int:
        largest_cap = max(self.each, self.step or 0)
        beginning_size = self.size(text[: _PER_TOKEN * largest_cap])
        return beginning_size if beginning_size > largest_cap else self.size(text)


@functools.lru_cache(maxsize=64)
def _of_large(cap: ResultCap, text: str) -> int:
    return cap._of_beginning(text)


def share_of(limit: int, measure: TokenCounter | None, fewest: int) -> ResultCap:
    """The cap that a budget sets: a quarter for one result, half for all of a step."""
    return ResultCap(max(fewest, limit // 4), max(fewest, limit // 2), fewest, measure)


def level(sizes: list[int], total: int, fewest: int) -> int:
    """The most that each may take so that all take no more than `total`: small ones stay whole."""
    remaining_size = total
    for size_index, result_size in enumerate(sorted(sizes)):
        share = remaining_size // (len(sizes) - size_index)
        if result_size > share:
            return max(fewest, share)
        remaining_size -= result_size
    return max(sizes, default=fewest)
