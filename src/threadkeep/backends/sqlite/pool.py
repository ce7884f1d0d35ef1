"""A thread-safe and fork-safe LIFO pool of connections to one file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from threadkeep.backends.common import fork, interrupts
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.core.call_limit import limited
from threadkeep.errors import BackendError


class SqlitePool(fork.ForkAware):
    """At most `size` connections, opened on demand, each used by one thread at a time.

    A returned connection is rolled back, and closed if that fails.

    No connection is open while the process forks: a fork waits for running calls and closes the
    idle connections first. Ignoring them in the child would not be enough: SQLite keeps its locks
    in a per-process table, and the child's copy says that they are held, so its own connections
    would take none; when the parent then closes, it deletes the log the child still writes to.

    Attributes:
        writing: a lock for writers. SQLite has one writer at a time, and others poll with sleeps
            of up to 100 ms; threads of one process that queue here first do not.

    Args:
        open_connection: opens a connection, or raises.
        keep: never close an idle connection before `close` (`:memory:` exists only while it is
            open; a forked child continues with a copy).
    """

    def __init__(
        self,
        open_connection: Callable[[], sqlite3.Connection],
        *,
        location: str,
        size: int,
        timeout: float,
        keep: bool = False,
    ) -> None:
        self._open = open_connection
        self._location = location
        self._size = size
        self._timeout = timeout
        self._keep = keep
        self._idle: list[sqlite3.Connection] = []
        self._limiter = ConnectionLimiter(size, location)
        self._paused = 0
        self._closed = False
        self.writing = interrupts.new_lock()
        fork.register(self)

    def acquire(self) -> sqlite3.Connection:
        """Lease a connection that is in no transaction.

        Raises:
            BackendTimeout: none was returned within the time-out.
            BackendError: the pool is closed, or opening failed.
        """
        self._limiter.acquire(self._seconds_to_wait, limited(self._timeout))
        try:
            if self._closed:
                raise BackendError(f"{self._location} is closed: open a new backend")
            return self._pop_idle() or self._open()
        except BaseException:
            self._limiter.release()
            raise

    def release(self, connection: sqlite3.Connection) -> None:
        """Return a connection, in whatever state it is."""
        try:
            if connection.in_transaction:
                connection.rollback()
            self._idle.append(connection)
        except sqlite3.Error:
            connection.close()
        finally:
            self._limiter.release()
        if self._closed:
            self._close_idle()
        self._limiter.yield_to_waiting()

    @property
    def idle(self) -> int:
        """The number of connections that are open and not in use."""
        return len(self._idle)

    @property
    def in_use(self) -> int:
        """The number of connections in use now."""
        return self._limiter.in_use

    def close(self) -> None:
        """Close idle connections now, and each one in use when it is returned."""
        self._closed = True
        self._close_idle()

    def _seconds_to_wait(self) -> float:
        return limited(self._timeout)

    def _pop_idle(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _close_idle(self) -> None:
        while connection := self._pop_idle():
            connection.close()

    def before_fork(self) -> None:
        """Wait for running calls (each ends within the time-out) and close idle connections."""
        deadline = time.monotonic() + self._timeout
        while self._paused < self._size:
            if not self._limiter.try_acquire(deadline - time.monotonic()):
                break  # a call hangs: forking beside it is better than never
            self._paused += 1
        if not self._keep:
            self._close_idle()

    def after_fork_in_parent(self) -> None:
        """Let calls go on."""
        for _ in range(self._paused):
            self._limiter.release()
        self._paused = 0

    def after_fork_in_child(self) -> None:
        """Start over: threads that held or awaited a connection do not exist here."""
        self._limiter = ConnectionLimiter(self._size, self._location)
        self._paused = 0
        self.writing = interrupts.new_lock()
