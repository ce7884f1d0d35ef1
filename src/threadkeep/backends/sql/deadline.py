"""How long a call may take in all, and how it waits before it tries again."""

from __future__ import annotations

import random
import time
from typing import Final

_FIRST: Final = 0.002
_LONGEST: Final = 0.5


class Deadline:
    """The end of one call, waiting for the pool and every retry included."""

    __slots__ = ("at", "timeout")

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.at = time.monotonic() + timeout

    def left(self) -> float:
        """Seconds until the end, never negative."""
        return max(0.0, self.at - time.monotonic())


def pause(attempt: int, deadline: Deadline) -> bool:
    """Sleep before the next attempt, longer each time, by chance; False = there is no time left."""
    most = min(_LONGEST, _FIRST * 2.0**attempt)
    seconds = random.uniform(most / 4, most)  # noqa: S311 (not for secrets)
    if seconds >= deadline.left():
        return False
    time.sleep(seconds)
    return True
