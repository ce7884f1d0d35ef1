"""Connections, handed out per call: from a pool of our own, or the application's engine."""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Engine, exc
from sqlalchemy.pool import PoolProxiedConnection

from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.backends.sql.dialect import Dialect
from threadkeep.errors import BackendError, BackendTimeout

_BEFORE: Final = "threadkeep"


class Lease(Protocol):
    """A connection that is with a caller."""

    @property
    def driver_connection(self) -> Any: ...


class Source(Protocol):
    """Where connections come from. `distrust()`: those made until now are lost."""

    @property
    def lent(self) -> int: ...
    def take(self, deadline: Deadline) -> Lease: ...
    def give_back(self, connection: Any, *, broken: bool) -> None: ...
    def distrust(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class PooledConnection:
    """A connection of ours, and when it was made."""

    driver_connection: Any
    born: float

    def close(self) -> None:
        """Close it, whatever state it is in."""
        with contextlib.suppress(Exception):
            self.driver_connection.close()


class ConnectionPool:
    """At most `size` connections, made when first needed; the one used last is lent first.

    Waiting for one is done here, so that it counts towards the deadline of the call. After a fork
    the child begins anew; what it inherited belongs to its parent and is never touched.
    """

    def __init__(self, connect: Callable[[Deadline], Any], *, where: str, size: int) -> None:
        self._connect = connect
        self._where = where
        self._size = size
        self._inherited: list[object] = []
        self._begin()
        self._closed = False
        _POOLS.add(self)

    @property
    def lent(self) -> int:
        """How many connections are with a caller now."""
        return self._slots.lent

    def take(self, deadline: Deadline) -> PooledConnection:
        """Lend a connection.

        Raises:
            BackendTimeout: none came free in time.
            BackendError: the pool is closed.
        """
        self._slots.take(deadline.left, deadline.timeout)
        try:
            if self._closed:
                raise BackendError(f"{self._where} is closed: open a new backend")
            return self._rested() or PooledConnection(self._connect(deadline), time.monotonic())
        except BaseException:
            self._slots.give_back()
            raise

    def give_back(self, connection: PooledConnection, *, broken: bool) -> None:
        """Take it back, outside of any transaction, or `broken`."""
        try:
            if broken:
                connection.close()
            else:
                self._idle.append(connection)
            if self._closed:
                self._drain()
        finally:
            self._slots.give_back()
        self._slots.step_back()

    def distrust(self) -> None:
        """One connection broke, so others may have: those made until now are not lent again."""
        self._lost_at = time.monotonic()

    def close(self) -> None:
        """Close what is idle now, and each lent connection when it comes back."""
        self._closed = True
        self._drain()

    def restart(self) -> None:
        """In a forked child."""
        self._inherited.append(self._idle)
        self._begin()

    def _begin(self) -> None:
        self._slots = ConnectionLimiter(self._size, self._where)
        self._idle: list[PooledConnection] = []  # threads append and pop; each is one atomic step
        self._lost_at = 0.0

    def _rested(self) -> PooledConnection | None:
        """An idle connection that is trusted."""
        with contextlib.suppress(IndexError):
            while True:
                found = self._idle.pop()
                if found.born > self._lost_at:
                    return found
                found.close()
        return None

    def _drain(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()


class SharedPool:
    """The pool of the application's own engine, with its limits; never closed here."""

    def __init__(self, engine: Engine, dialect: Dialect, *, where: str) -> None:
        self._engine = engine
        self._dialect = dialect
        self._where = where
        self._closed = False
        self._lent: set[int] = set()

    @property
    def lent(self) -> int:
        """How many connections are with a caller now."""
        return len(self._lent)

    def take(self, deadline: Deadline) -> PoolProxiedConnection:
        """Lend a connection; how long it waits for one is the engine's `pool_timeout`.

        Raises:
            BackendTimeout: none came free.
            BackendError: this backend is closed.
        """
        if self._closed:
            raise BackendError(f"{self._where} is closed: open a new backend")
        try:
            connection = self._engine.raw_connection()
        except exc.TimeoutError:
            raise BackendTimeout(
                f"{self._where}: no connection of the engine came free: raise its pool_size"
            ) from None
        connection.info[_BEFORE] = self._dialect.adopt(connection.driver_connection)
        self._lent.add(id(connection))
        return connection

    def give_back(self, connection: PoolProxiedConnection, *, broken: bool) -> None:
        """Take it back, as the engine gave it."""
        self._lent.discard(id(connection))
        if broken:
            connection.invalidate()
        else:
            self._dialect.restore(connection.driver_connection, connection.info.pop(_BEFORE))
        connection.close()

    def distrust(self) -> None:
        """Nothing: which of its connections the engine trusts is its own affair."""

    def close(self) -> None:
        """Lend no more."""
        self._closed = True


_POOLS: weakref.WeakSet[ConnectionPool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in _POOLS:
        pool.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
