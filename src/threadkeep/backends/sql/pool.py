"""Connection pools: our own, or the one of the application's engine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Engine, exc
from sqlalchemy.pool import PoolProxiedConnection

from threadkeep.backends.common import fork
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.backends.sql.dialect import Dialect
from threadkeep.errors import BackendError, BackendTimeout

_AUTOCOMMIT_KEY: Final = "threadkeep"


class Lease(Protocol):
    """A connection that a caller has acquired."""

    @property
    def driver_connection(self) -> Any: ...


class ConnectionSource(Protocol):
    """A pool of connections; `distrust()` discards those opened until now."""

    @property
    def in_use(self) -> int: ...
    def acquire(self, deadline: Deadline) -> Lease: ...
    def release(self, connection: Any, *, broken: bool) -> None: ...
    def distrust(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class PooledConnection:
    """A connection of our own pool, and when it was opened."""

    driver_connection: Any
    opened_at: float

    def close(self) -> None:
        """Close it, whatever state it is in."""
        with contextlib.suppress(Exception):
            self.driver_connection.close()


class ConnectionPool(fork.ForkAware):
    """At most `size` connections, opened on demand; the most recently used is handed out first.

    Callers wait here, so that the wait counts towards the deadline of the call. After a fork the
    child starts with an empty pool; inherited connections belong to the parent and stay untouched.
    """

    def __init__(self, connect: Callable[[Deadline], Any], *, location: str, size: int) -> None:
        self._connect = connect
        self._location = location
        self._size = size
        self._inherited: list[object] = []
        self._reset()
        self._closed = False
        fork.register(self)

    @property
    def in_use(self) -> int:
        """The number of connections in use now."""
        return self._limiter.in_use

    def acquire(self, deadline: Deadline) -> PooledConnection:
        """Acquire a connection.

        Raises:
            BackendTimeout: no connection became free in time.
            BackendError: the pool is closed.
        """
        self._limiter.acquire(deadline.remaining, deadline.timeout)
        try:
            if self._closed:
                raise BackendError(f"{self._location} is closed: open a new backend")
            return self._idle_connection() or PooledConnection(
                self._connect(deadline), time.monotonic()
            )
        except BaseException:
            self._limiter.release()
            raise

    def release(self, connection: PooledConnection, *, broken: bool) -> None:
        """Return a connection, outside of any transaction, or `broken`."""
        try:
            if broken:
                connection.close()
            else:
                self._idle.append(connection)
            if self._closed:
                self._drain()
        finally:
            self._limiter.release()
        self._limiter.yield_to_waiting()

    def distrust(self) -> None:
        """One connection broke, so others may have: discard those opened until now."""
        self._distrusted_at = time.monotonic()

    def close(self) -> None:
        """Close idle connections now, and the others when they are released."""
        self._closed = True
        self._drain()

    def after_fork_in_child(self) -> None:
        """Start with an empty pool."""
        self._inherited.append(self._idle)
        self._reset()

    def _reset(self) -> None:
        self._limiter = ConnectionLimiter(self._size, self._location)
        self._idle: list[PooledConnection] = []  # threads append and pop; each is one atomic step
        self._distrusted_at = 0.0

    def _idle_connection(self) -> PooledConnection | None:
        """Returns an idle connection opened since the last `distrust()`, if there is one."""
        with contextlib.suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.opened_at > self._distrusted_at:
                    return connection
                connection.close()
        return None

    def _drain(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()


class SharedPool:
    """The pool of the application's own engine, with its limits; never closed here."""

    def __init__(self, engine: Engine, dialect: Dialect, *, location: str) -> None:
        self._engine = engine
        self._dialect = dialect
        self._location = location
        self._closed = False
        self._in_use: set[int] = set()

    @property
    def in_use(self) -> int:
        """The number of connections in use now."""
        return len(self._in_use)

    def acquire(self, deadline: Deadline) -> PoolProxiedConnection:
        """Acquire a connection; the engine's `pool_timeout` limits the wait.

        Raises:
            BackendTimeout: no connection became free.
            BackendError: this backend is closed.
        """
        if self._closed:
            raise BackendError(f"{self._location} is closed: open a new backend")
        try:
            connection = self._engine.raw_connection()
        except exc.TimeoutError:
            raise BackendTimeout(
                f"{self._location}: no connection of the engine came free: raise its pool_size"
            ) from None
        connection.info[_AUTOCOMMIT_KEY] = self._dialect.enable_autocommit(
            connection.driver_connection
        )
        self._in_use.add(id(connection))
        return connection

    def release(self, connection: PoolProxiedConnection, *, broken: bool) -> None:
        """Return a connection in the state in which the engine provided it."""
        self._in_use.discard(id(connection))
        if broken:
            connection.invalidate()
        else:
            self._dialect.restore(
                connection.driver_connection, connection.info.pop(_AUTOCOMMIT_KEY)
            )
        connection.close()

    def distrust(self) -> None:
        """Do nothing: the engine invalidates its connections itself."""

    def close(self) -> None:
        """Refuse further calls."""
        self._closed = True
