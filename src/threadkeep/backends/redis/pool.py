"""Who may use the client: so many calls at once, none after `close`, a new one after a fork."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from threadkeep.backends.common.deadline import Deadline, span
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.backends.redis.clients import Client
from threadkeep.errors import BackendError, BackendTimeout


class Pool:
    """A client, made at the first use, and slots for the calls that may use it at once.

    One bound serves all nodes of a cluster: a call uses one connection at a time. Waiting is done
    here, so that it counts towards the deadline of the call. After a fork the child makes a client
    of its own; what it inherited belongs to its parent and is never touched.

    Args:
        make: makes the client.
        size: how many calls may run at once; `None` = the client is the application's own, whose
            pool has bounds of its own, and which is never closed here.
    """

    def __init__(self, make: Callable[[], Client], *, where: str, size: int | None) -> None:
        self._make = make
        self._where = where
        self._size = size
        self._closed = False
        self._inherited: list[Client] = []
        self._client: Client | None = None
        self._begin()
        _POOLS.add(self)

    @property
    def lent(self) -> int:
        """How many calls are running now."""
        return 0 if self._size is None else self._slots.lent

    def take(self, deadline: Deadline) -> None:
        """Wait for a slot.

        Raises:
            BackendTimeout: none came free in time.
            BackendError: closed.
        """
        if self._size is not None:
            self._slots.take(deadline.left, deadline.timeout)
        if self._closed:
            self.give_back()
            raise BackendError(f"{self._where} is closed: open a new backend")

    def give_back(self) -> None:
        """Leave the slot to the next."""
        if self._size is not None:
            self._slots.give_back()
            self._slots.step_back()
        if self._closed and not self.lent:
            self._end()

    def client(self, deadline: Deadline) -> Client:
        """The client, for who holds a slot.

        Raises:
            BackendTimeout: another thread is still connecting.
        """
        if self._client is None:
            left = deadline.left()
            if not self._lock.acquire(timeout=left):
                raise BackendTimeout(
                    f"{self._where}: another thread did not finish connecting within "
                    f"{span(left, deadline.timeout)}: look at the network"
                )
            try:
                self._client = self._client or self._make()
            finally:
                self._lock.release()
        return self._client

    def close(self) -> None:
        """Close the connections now, or when the last running call has ended."""
        self._closed = True
        if not self.lent:
            self._end()

    def restart(self) -> None:
        """In a forked child."""
        if self._size is not None:
            self._inherited.append(self._client)
            self._begin()

    def _begin(self) -> None:
        self._slots = ConnectionLimiter(self._size or 0, self._where)
        self._lock = threading.Lock()
        self._client = None

    def _end(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            if client is not None and self._size is not None:
                client.close()


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in _POOLS:
        pool.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
