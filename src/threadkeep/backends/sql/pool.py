"""Connections, handed out per call: SQLAlchemy's pool, our own or the application's."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol

from sqlalchemy import Engine, event, exc
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from threadkeep.backends.sql.dialect import Dialect
from threadkeep.deadlines import Deadline
from threadkeep.errors import BackendError, BackendTimeout
from threadkeep.slots import Slots

_BEFORE: Final = "threadkeep"


class Source(Protocol):
    """Where connections come from. `blame(deadline)`: connections made until now are lost."""

    @property
    def lent(self) -> int: ...
    def take(self, deadline: Deadline) -> PoolProxiedConnection: ...
    def give_back(self, connection: PoolProxiedConnection, *, broken: bool) -> None: ...
    def distrust(self) -> None: ...
    def close(self) -> None: ...


class OwnPool:
    """At most `size` connections, made when first needed.

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

    def take(self, deadline: Deadline) -> PoolProxiedConnection:
        """Lend a connection.

        Raises:
            BackendTimeout: none came free in time.
            BackendError: the pool is closed.
        """
        self._slots.take(deadline.left, deadline.timeout)
        try:
            if self._closed:
                raise BackendError(f"{self._where} is closed: open a new backend")
            self._local.deadline = deadline
            return self._pool.connect()
        except BaseException:
            self._slots.give_back()
            raise

    def give_back(self, connection: PoolProxiedConnection, *, broken: bool) -> None:
        """Take it back, outside of any transaction, or `broken`."""
        try:
            if broken or self._closed:
                connection.invalidate()
            connection.close()
        finally:
            self._slots.give_back()
        self._slots.step_back()

    def distrust(self) -> None:
        """One connection broke, so others may have: those made until now are not lent again."""
        self._lost_at = time.monotonic()

    def close(self) -> None:
        """Close what is idle now, and each lent connection when it comes back."""
        self._closed = True
        self._pool.dispose()

    def restart(self) -> None:
        """In a forked child."""
        self._inherited.append(self._pool)
        self._begin()

    def _begin(self) -> None:
        self._slots = Slots(self._size, self._where)
        self._local = threading.local()
        self._lost_at = 0.0
        self._pool = QueuePool(
            lambda: self._connect(self._local.deadline),
            pool_size=self._size,
            max_overflow=0,
            reset_on_return=None,  # calls end their transactions, and say so if they could not
            use_lifo=True,
        )
        event.listen(self._pool, "connect", _note_birth)
        event.listen(self._pool, "checkout", self._check)

    def _check(self, connection: Any, record: Any, proxy: Any) -> None:
        if record.info["born"] <= self._lost_at:
            raise exc.DisconnectionError("made before another one broke")


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


def _note_birth(connection: Any, record: Any) -> None:
    record.info["born"] = time.monotonic()


_POOLS: weakref.WeakSet[OwnPool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in _POOLS:
        pool.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
