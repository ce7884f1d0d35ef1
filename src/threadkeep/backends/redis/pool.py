"""Limits how many calls use the client at once; a new client after a fork, none after `close`."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from threadkeep.backends.common.deadline import Deadline, format_wait
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.backends.redis.clients import Client
from threadkeep.errors import BackendError, BackendTimeout


class ClientPool:
    """A client, created at the first use, and a limit on the calls that use it at once.

    One limit covers all nodes of a cluster: a call uses one connection at a time. Calls wait
    here, so that the wait counts towards their deadline. After a fork the child creates a client
    of its own; the inherited one belongs to the parent and is never touched.

    Args:
        make_client: creates the client.
        location: the server, for errors.
        size: how many calls may run at once; `None` = the client is the application's own: its
            pool has a limit of its own, and it is never closed here.
    """

    def __init__(
        self, make_client: Callable[[], Client], *, location: str, size: int | None
    ) -> None:
        self._make_client = make_client
        self._location = location
        self._size = size
        self._closed = False
        self._inherited: list[Client] = []
        self._client: Client | None = None
        self._reset()
        _POOLS.add(self)

    @property
    def in_use(self) -> int:
        """The number of calls running now."""
        return 0 if self._size is None else self._limiter.in_use

    def acquire(self, deadline: Deadline) -> None:
        """Wait for a slot.

        Raises:
            BackendTimeout: no slot was freed in time.
            BackendError: the pool is closed.
        """
        if self._size is not None:
            self._limiter.acquire(deadline.remaining, deadline.timeout)
        if self._closed:
            self.release()
            raise BackendError(f"{self._location} is closed: open a new backend")

    def release(self) -> None:
        """Free the slot for the next call."""
        if self._size is not None:
            self._limiter.release()
            self._limiter.yield_to_waiting()
        if self._closed and not self.in_use:
            self._close_client()

    def client(self, deadline: Deadline) -> Client:
        """Return the client; the caller holds a slot.

        Raises:
            BackendTimeout: another thread is still connecting.
        """
        if self._client is None:
            remaining = deadline.remaining()
            if not self._lock.acquire(timeout=remaining):
                raise BackendTimeout(
                    f"{self._location}: another thread did not finish connecting within "
                    f"{format_wait(remaining, deadline.timeout)}: look at the network"
                )
            try:
                self._client = self._client or self._make_client()
            finally:
                self._lock.release()
        return self._client

    def close(self) -> None:
        """Close the connections now, or when the last running call ends."""
        self._closed = True
        if not self.in_use:
            self._close_client()

    def restart(self) -> None:
        """Start over, in a forked child."""
        if self._size is not None:
            self._inherited.append(self._client)
            self._reset()

    def _reset(self) -> None:
        self._limiter = ConnectionLimiter(self._size or 0, self._location)
        self._lock = threading.Lock()
        self._client = None

    def _close_client(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            if client is not None and self._size is not None:
                client.close()


_POOLS: weakref.WeakSet[ClientPool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in _POOLS:
        pool.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
