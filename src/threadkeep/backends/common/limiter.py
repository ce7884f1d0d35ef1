"""So many calls at once: what the pools of the backends count by, and wait on."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Final

from threadkeep.backends.common.deadline import span
from threadkeep.errors import BackendTimeout

_FAIRNESS: Final = 0.0001
"""Seconds by which a thread steps back for those who wait; else it would take its slot again."""


class ConnectionLimiter:
    """A counter to wait on, several times faster than a `threading.Semaphore`.

    After a fork the child needs a new one: threads that held a slot are gone.

    Args:
        size: how many there are.
        where: the store, for the error.
    """

    def __init__(self, size: int, where: str) -> None:
        self._size = size
        self._where = where
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(size):
            self._free.put(None)
        self._waiting: list[None] = []  # one entry for each thread that found none free

    @property
    def lent(self) -> int:
        """How many are taken now."""
        return self._size - self._free.qsize()

    def take(self, left: Callable[[], float], timeout: float) -> None:
        """Take one, or wait for it.

        Args:
            left: seconds to wait, asked only if none is free.
            timeout: seconds the whole call may take, for the error.

        Raises:
            BackendTimeout: none came free in time.
        """
        try:
            self._free.get_nowait()
        except queue.Empty:
            self._wait(left(), timeout)

    def give_back(self) -> None:
        """Leave it to the next."""
        self._free.put(None)

    def step_back(self) -> None:
        """Let those who wait go first, once nothing is held any more."""
        if self._waiting:
            time.sleep(_FAIRNESS)

    def seize(self, seconds: float) -> bool:
        """Take one without an error if none comes free; whether one was taken."""
        try:
            self._free.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return False
        return True

    def _wait(self, seconds: float, timeout: float) -> None:
        self._waiting.append(None)
        try:
            self._free.get(timeout=seconds)
        except queue.Empty:
            raise BackendTimeout(
                f"{self._where}: all {self._size} connections were in use for "
                f"{span(seconds, timeout)}: raise `pool_size` or `timeout`"
            ) from None
        finally:
            self._waiting.pop()
