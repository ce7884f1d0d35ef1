"""How long something may take on a machine that has other things to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SLACK: Final = 1.0
"""Seconds that a loaded machine may add, besides those that it is seen to add."""
_PAUSE: Final = 0.01


class Stalls(threading.Thread):
    """Asks to be woken every few milliseconds and adds up by how much it was late.

    Attributes:
        seconds: that the machine withheld from this process so far.
    """

    def __init__(self) -> None:
        super().__init__(name="stalls", daemon=True)
        self.seconds = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        asleep_at = time.monotonic()
        while not self._ended.wait(_PAUSE):
            awake_at = time.monotonic()
            self.seconds += max(0.0, awake_at - asleep_at - _PAUSE)
            asleep_at = awake_at

    def __enter__(self) -> Stalls:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self.join()


@contextmanager
def within(seconds: float, *, slack: float = SLACK) -> Iterator[None]:
    """Fail if the block takes longer; what the machine withheld from it does not count.

    Args:
        seconds: what is promised.
        slack: seconds that are allowed besides, on any machine.
    """
    with Stalls() as stalls:
        started_at = time.monotonic()
        yield
        elapsed_seconds = time.monotonic() - started_at
    allowed_seconds = seconds + slack + stalls.seconds
    assert elapsed_seconds < allowed_seconds, (
        f"{elapsed_seconds:.2f} s, where {seconds:g} were promised and {slack:g} given; "
        f"the machine withheld {stalls.seconds:.2f}"
    )
