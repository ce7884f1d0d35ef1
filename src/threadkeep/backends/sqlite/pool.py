"""Connections to one file, handed out per call, last in first out; threads and forks are safe."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from threadkeep.errors import BackendError, BackendTimeout


class Pool:
    """At most `size` connections, opened when first needed, each used by one thread at a time.

    A connection comes back rolled back, whatever happened to it, and is closed if that fails.

    Nothing is open while the process forks: a fork waits for running calls, and closes the idle
    connections first. Leaving them alone in the child would not be enough: SQLite keeps its locks
    in a table per process, the child's copy says that they are held, so its own connections would
    take none; when the parent then closes, it deletes the log that the child goes on writing to.

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
        self._slots = threading.Semaphore(size)
        self._paused = 0
        self._closed = False
        _watch(self)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection, outside of any transaction.

        Raises:
            BackendTimeout: none came free within the time-out.
            BackendError: the pool is closed.
            sqlite3.Error: opening failed.
        """
        slots = self._slots
        if not slots.acquire(timeout=self._timeout):
            raise self._exhausted()
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            slots.release()

    @property
    def idle(self) -> int:
        """How many connections are open and not lent."""
        return len(self._idle)

    @property
    def lent(self) -> int:
        """How many connections are with a caller now."""
        return self._size - self._slots._value

    def close(self) -> None:
        """Close what is idle now, and each lent connection when it comes back."""
        self._closed = True
        self._close_idle()

    def _take(self) -> sqlite3.Connection:
        if self._closed:
            raise BackendError(f"{self._where} is closed: open a new backend")
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.rollback()
        except sqlite3.Error:
            connection.close()
            return
        self._idle.append(connection)
        if self._closed:
            self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _exhausted(self) -> BackendTimeout:
        return BackendTimeout(
            f"{self._where}: all {self._size} connections were in use for {self._timeout:g} s: "
            "raise `pool_size` or `timeout`"
        )

    def _pause(self) -> None:
        """Let running calls end (each does within the time-out) and close what is idle."""
        deadline = time.monotonic() + self._timeout
        while self._paused < self._size and self._slots.acquire(
            timeout=max(0.0, deadline - time.monotonic())
        ):
            self._paused += 1
        if not self._keep:
            self._close_idle()

    def _resume(self) -> None:
        while self._paused:
            self._paused -= 1
            self._slots.release()

    def _restart(self) -> None:
        """In the child: threads that still held a connection or waited for one are gone."""
        self._slots = threading.Semaphore(self._size)
        self._paused = 0


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
