"""Counts what this process writes for each user, to say when their kept index is to grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from threadkeep.core.cache.generational import GenerationalCache

FIRST: Final = 500
"""Items of a user of whom nothing is known, after which somebody is told."""
NEXT: Final = 64
"""Items of a user of whom somebody was told."""

_USERS: Final = 5_000


class WriteCounts:
    """Items written by user, since somebody was told; a count that is lost does no harm.

    Args:
        on_enough: called with the user, in the thread that wrote; it must not wait.
    """

    def __init__(self, on_enough: Callable[[str], None]) -> None:
        self._on_enough = on_enough
        self._missing: GenerationalCache[str, int] = GenerationalCache(_USERS)

    def add(self, user: str | None, items: int) -> None:
        """Count items that were written; no I/O."""
        if user is None or not items:
            return
        unindexed_count = self._missing.get(user)
        unindexed_count = (FIRST if unindexed_count is None else unindexed_count) - items
        self._missing.put(user, NEXT if unindexed_count <= 0 else unindexed_count)
        if unindexed_count <= 0:
            self._on_enough(user)
