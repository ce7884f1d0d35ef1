"""A driver's client, which has a pool of its own: created late, new after a fork, closed once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from threadkeep.backends.common import fork
from threadkeep.backends.common.deadline import Deadline, format_wait
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.errors import BackendError, BackendTimeout

C = TypeVar("C")


class ClientPool(fork.ForkAware, Generic[C]):
    """A client, created at the first use, and a limit on the calls that use it at once.

    One limit covers all nodes of a cluster: a call uses one connection at a time. Calls wait
    here, so that the wait counts towards their deadline. After a fork the child creates a client
    of its own; the inherited one belongs to the parent and is never touched.

    Args:
        make_client: creates the client.
        close_client: closes a client that was created here; `None` = it is the application's
            own, which a forked child uses on.
        location: the server, for errors.
        size: how many calls may run at once; `None` = the client limits them itself.
    """

    def __init__(
        self,
        make_client: Callable[[], C],
        close_client: Callable[[C], object] | None,
        *,
        location: str,
        size: int | None = None,
    ) -> None:
        self._make_client = make_client
        self._close = close_client
        self._location = location
        self._size = size
        self._closed = False
        self._client: C | None = None
        self._inherited: list[C | None] = []
        self._reset()
        fork.register(self)

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

    def client(self, deadline: Deadline) -> C:
        """Return the client; the caller holds a slot.

        Raises:
            BackendTimeout: another thread is still connecting.
        """
        client = self._client
        if client is not None:
            return client
        seconds_left = deadline.remaining()
        if not self._lock.acquire(timeout=seconds_left):
            raise BackendTimeout(
                f"{self._location}: another thread did not finish connecting within "
                f"{format_wait(seconds_left, deadline.timeout)}: look at the network"
            )
        try:
            if self._client is None:
                self._client = self._make_client()
            return self._client
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connections now, or when the last running call ends."""
        self._closed = True
        if not self.in_use:
            self._close_client()

    def after_fork_in_child(self) -> None:
        """Start over, but for a client of the application's own."""
        if self._close is not None:
            self._inherited.append(self._client)
            self._reset()

    def _reset(self) -> None:
        self._limiter = ConnectionLimiter(self._size or 0, self._location)
        self._lock = threading.Lock()
        self._client = None

    def _close_client(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            if client is not None and self._close is not None:
                self._close(client)
