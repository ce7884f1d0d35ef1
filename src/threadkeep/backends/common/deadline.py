"""How long a call may take in all, and how it waits before it tries again."""

from __future__ import annotations

import random
import time
from typing import Final

_FIRST: Final = 0.002
_LONGEST: Final = 0.5
_WHOLE: Final = 0.95  # of the time-out: nothing worth a word was spent before
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


def span(seconds: float, timeout: float, patience: float | None = None) -> str:
    """How long something was waited for within a call, for an error: never more than was left.

    Args:
        patience: seconds that this wait alone might take, the setting `connect_timeout`.
    """
    if patience is not None and seconds >= patience:
        return f"{patience:g} s, the connect_timeout"
    if seconds >= timeout * _WHOLE:
        return f"{timeout:g} s"
    return f"{max(seconds, 0.001):.2g} s, all that was left of {timeout:g} s"


def pause(attempt: int, deadline: Deadline) -> bool:
    """Sleep before the next attempt, longer each time, by chance; False = there is no time left."""
    most = min(_LONGEST, _FIRST * 2.0 ** min(attempt, _DOUBLINGS))
    seconds = random.uniform(most / 4, most)  # noqa: S311 (not for secrets)
    if seconds >= deadline.left():
        return False
    time.sleep(seconds)
    return True
