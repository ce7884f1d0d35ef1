"""Connections to one file, handed out per call, last in first out; threads and forks are safe."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable

from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.errors import BackendError


class Pool:
    """At most `size` connections, opened when first needed, each used by one thread at a time.

    A connection comes back rolled back, whatever happened to it, and is closed if that fails.

    Nothing is open while the process forks: a fork waits for running calls, and closes the idle
    connections first. Leaving them alone in the child would not be enough: SQLite keeps its locks
    in a table per process, the child's copy says that they are held, so its own connections would
    take none; when the parent then closes, it deletes the log that the child goes on writing to.

    Attributes:
        writing: SQLite has one writer at a time, and others poll with sleeps of up to 100 ms;
            threads of one process that queue here first do not.

    Args:
        open_connection: makes a connection, or raises.
        keep: never close an idle connection before `close` (`:memory:` lives only while it is
            open; a forked child goes on with a copy).
    """

    def __init__(
        self,
        open_connection: Callable[[], sqlite3.Connection],
        *,
        where: str,
        size: int,
        timeout: float,
        keep: bool = False,
    ) -> None:
        self._open = open_connection
        self._where = where
        self._size = size
        self._timeout = timeout
        self._keep = keep
        self._idle: list[sqlite3.Connection] = []
        self._slots = ConnectionLimiter(size, where)
        self._paused = 0
        self._closed = False
        self.writing = threading.Lock()
        _watch(self)

    def take(self) -> sqlite3.Connection:
        """Lend a connection, outside of any transaction.

        Raises:
            BackendTimeout: none came free within the time-out.
            BackendError: the pool is closed, or opening failed.
        """
        self._slots.take(self._patience, self._timeout)
        try:
            if self._closed:
                raise BackendError(f"{self._where} is closed: open a new backend")
            return self._pop() or self._open()
        except BaseException:
            self._slots.give_back()
            raise

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Take a connection back, whatever state it is in."""
        try:
            if connection.in_transaction:
                connection.rollback()
            self._idle.append(connection)
        except sqlite3.Error:
            connection.close()
        finally:
            self._slots.give_back()
        if self._closed:
            self._close_idle()
        self._slots.step_back()

    @property
    def idle(self) -> int:
        """How many connections are open and not lent."""
        return len(self._idle)

    @property
    def lent(self) -> int:
        """How many connections are with a caller now."""
        return self._slots.lent

    def close(self) -> None:
        """Close what is idle now, and each lent connection when it comes back."""
        self._closed = True
        self._close_idle()

    def _patience(self) -> float:
        return self._timeout

    def _pop(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _close_idle(self) -> None:
        while connection := self._pop():
            connection.close()

    def _pause(self) -> None:
        """Let running calls end (each does within the time-out) and close what is idle."""
        deadline = time.monotonic() + self._timeout
        while self._paused < self._size:
            if not self._slots.seize(deadline - time.monotonic()):
                break  # a call that hangs: better a fork beside it than none
            self._paused += 1
        if not self._keep:
            self._close_idle()

    def _resume(self) -> None:
        for _ in range(self._paused):
            self._slots.give_back()
        self._paused = 0

    def _restart(self) -> None:
        """In the child: threads that still held a connection or waited for one are gone."""
        self._slots = ConnectionLimiter(self._size, self._where)
        self._paused = 0
        self.writing = threading.Lock()


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()
_POOLS_LOCK = threading.Lock()


def _watch(pool: Pool) -> None:
    with _POOLS_LOCK:
        _POOLS.add(pool)


def _before_fork() -> None:
    _POOLS_LOCK.acquire()
    for pool in _POOLS:
        pool._pause()


def _after_fork_in_parent() -> None:
    for pool in _POOLS:
        pool._resume()
    _POOLS_LOCK.release()


def _after_fork_in_child() -> None:
    for pool in _POOLS:
        pool._restart()
    _POOLS_LOCK.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
