"""How long a call may take in all, and how it waits before it tries again."""

from __future__ import annotations

import random
import time
from typing import Final

_FIRST: Final = 0.002
_LONGEST: Final = 0.5
_DOUBLINGS: Final = 20  # far beyond the longest pause, far below what a float can hold


class Deadline:
    """The end of one call, waiting for a connection and every retry included."""

    __slots__ = ("at", "begun", "timeout")

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.begun = time.monotonic()
        self.at = self.begun + timeout

    def left(self) -> float:
        """Seconds until the end, never negative."""
        return max(0.0, self.at - time.monotonic())

    def gone(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.begun


def pause(attempt: int, deadline: Deadline) -> bool:
    """Sleep before the next attempt, longer each time, by chance; False = there is no time left."""
    most = min(_LONGEST, _FIRST * 2.0 ** min(attempt, _DOUBLINGS))
    seconds = random.uniform(most / 4, most)  # noqa: S311 (not for secrets)
    if seconds >= deadline.left():
        return False
    time.sleep(seconds)
    return True
