"""The deadline of a call, and the pause before each retry."""

from __future__ import annotations

import random
import time
from typing import Final

from threadkeep.core.call_limit import limited, waited

_FIRST: Final = 0.002
_LONGEST: Final = 0.5
_NEARLY_ALL: Final = 0.95  # share of the time-out that an error calls all of it
_SHORTEST: Final = 0.001  # seconds: to a driver, none may mean no limit
_DOUBLINGS: Final = 20  # far beyond the longest pause, far below what a float can hold


class Deadline:
    """When one call must end, including the wait for a connection and every retry.

    Attributes:
        timeout: seconds that the call may take.
        started: when it began, by the monotonic clock.
        asked_at: when it would have begun, had its verb not waited for a thread.
        ends_at: when it must end.
    """

    __slots__ = ("asked_at", "ends_at", "started", "timeout")

    def __init__(self, timeout: float) -> None:
        self.timeout = limited(timeout)
        self.started = time.monotonic()
        self.asked_at = self.started - waited()
        self.ends_at = self.started + self.timeout

    def part(self, seconds: float) -> Deadline:
        """A deadline so many seconds from now, or this one's if that is sooner."""
        return Deadline(max(0.001, min(seconds, self.remaining())))

    def shorten(self, seconds: float) -> None:
        """End the call so many seconds after it was asked for, if that is sooner."""
        self.timeout = min(self.timeout, seconds)
        earliest_end = time.monotonic() + _SHORTEST
        self.ends_at = min(self.ends_at, max(self.asked_at + seconds, earliest_end))

    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.ends_at - time.monotonic())

    def elapsed(self) -> float:
        """Seconds since the call started."""
        return time.monotonic() - self.started


def format_wait(seconds: float, timeout: float, connect_timeout: float | None = None) -> str:
    """Describe for an error how long a call waited, never more than it had left.

    Args:
        connect_timeout: the setting of that name, in seconds: the limit of this wait alone.
    """
    if connect_timeout is not None and seconds >= connect_timeout:
        return f"{connect_timeout:g} s, the connect_timeout"
    if seconds >= timeout * _NEARLY_ALL:
        return f"{timeout:g} s"
    return f"{max(seconds, 0.001):.2g} s, all that was left of {timeout:g} s"


def backoff(attempt: int, deadline: Deadline) -> bool:
    """Sleep before the next attempt, longer each time, with jitter; False = no time is left."""
    max_pause = min(_LONGEST, _FIRST * 2.0 ** min(attempt, _DOUBLINGS))
    pause_seconds = random.uniform(max_pause / 4, max_pause)  # noqa: S311 (not for secrets)
    if pause_seconds >= deadline.remaining():
        return False
    time.sleep(pause_seconds)
    return True
