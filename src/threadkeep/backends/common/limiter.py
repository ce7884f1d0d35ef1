"""Limits the number of concurrent calls, for the connection pools of the backends."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Final

from threadkeep.backends.common.deadline import format_wait
from threadkeep.errors import BackendTimeout

_FAIRNESS: Final = 0.0001
"""Seconds for which a thread yields to waiting threads; else it would take its slot again."""


class ConnectionLimiter:
    """A counter that threads can wait on, several times faster than a `threading.Semaphore`.

    After a fork the child needs a new one: threads that held a slot are gone.

    Args:
        size: the number of slots.
        location: the store, for the error.
    """

    def __init__(self, size: int, location: str) -> None:
        self._size = size
        self._location = location
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(size):
            self._free.put(None)
        self._waiting: list[None] = []  # one entry for each thread that found none free

    @property
    def in_use(self) -> int:
        """The number of slots in use now."""
        return self._size - self._free.qsize()

    def acquire(self, remaining: Callable[[], float], timeout: float) -> None:
        """Take a slot, or wait for one.

        Args:
            remaining: returns the seconds to wait; called only if no slot is free.
            timeout: seconds the whole call may take, for the error.

        Raises:
            BackendTimeout: no slot became free in time.
        """
        try:
            self._free.get_nowait()
        except queue.Empty:
            self._wait(remaining(), timeout)

    def release(self) -> None:
        """Return a slot."""
        self._free.put(None)

    def yield_to_waiting(self) -> None:
        """Let waiting threads go first; call it when no slot is held."""
        if self._waiting:
            time.sleep(_FAIRNESS)

    def try_acquire(self, seconds: float) -> bool:
        """Take a slot; returns False, instead of raising, if none becomes free in time."""
        try:
            self._free.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return False
        return True

    def _all_connections(self) -> str:
        is_single = self._size == 1
        return "the only connection was" if is_single else f"all {self._size} connections were"

    def _wait(self, seconds: float, timeout: float) -> None:
        self._waiting.append(None)
        try:
            self._free.get(timeout=seconds)
        except queue.Empty:
            raise BackendTimeout(
                f"{self._location}: {self._all_connections()} in use for "
                f"{format_wait(seconds, timeout)}: raise `pool_size` or `timeout`"
            ) from None
        finally:
            self._waiting.pop()
