"""Counts what this process writes for each user, to say when their kept index is to grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from threadkeep.core.cache.generational import GenerationalCache

FIRST: Final = 500
"""Items of a user from which on an index is kept."""
NEXT: Final = 256
"""Items that a small index lacks when it is due to grow."""

_SHARE: Final = 64  # who grows an index loads it first: per new item, at most so many others
_MOST: Final = 8_192  # items that the first question of a process may have to read

_USERS: Final = 5_000


def due_after(indexed: int) -> int:
    """How many new items make an index of so many due to grow, by the share that they are."""
    return max(NEXT, min(indexed // _SHARE, _MOST))


class WriteCounts:
    """Items written by user, since somebody was told; a count that is lost does no harm.

    Args:
        on_enough: called with the user, in the thread that wrote; it must not wait.
    """

    def __init__(self, on_enough: Callable[[str], None]) -> None:
        self._on_enough = on_enough
        self._missing: GenerationalCache[str, int] = GenerationalCache(_USERS)

    def add(self, user: str, items: int) -> None:
        """Count items that were written; no I/O."""
        if not items:
            return
        missing_count = self._missing.get(user)
        missing_count = (FIRST if missing_count is None else missing_count) - items
        self._missing.put(user, NEXT if missing_count <= 0 else missing_count)
        if missing_count <= 0:
            self._on_enough(user)

    def report(self, user: str, indexed: int) -> None:
        """The index of a user was just brought to hold so many items."""
        self._missing.put(user, due_after(indexed))
