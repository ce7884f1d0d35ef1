"""How long a call may take in all, and how it waits before it tries again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_FIRST: Final = 0.002
_LONGEST: Final = 0.5
_LOCAL = threading.local()


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


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """While inside, connections used by this thread wait no longer than that."""
    _LOCAL.deadline = deadline
    try:
        yield
    finally:
        _LOCAL.deadline = None


def current() -> Deadline | None:
    """The deadline of the call that this thread is in."""
    found: Deadline | None = getattr(_LOCAL, "deadline", None)
    return found


def pause(attempt: int, deadline: Deadline) -> bool:
    """Sleep before the next attempt, longer each time, by chance; False = there is no time left."""
    most = min(_LONGEST, _FIRST * 2.0 ** min(attempt, 20))
    seconds = random.uniform(most / 4, most)  # noqa: S311 (not for secrets)
    if seconds >= deadline.left():
        return False
    time.sleep(seconds)
    return True
