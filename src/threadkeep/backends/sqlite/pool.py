"""A thread-safe and fork-safe LIFO pool of connections to one file."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from threadkeep.backends.common import fork, interrupts
from threadkeep.backends.common.limiter import ConnectionLimiter
from threadkeep.core.call_limit import limited
from threadkeep.errors import BackendError


class Loan:
    """A connection of the pool, or what an interrupt has left of one.

    Attributes:
        frame: the call that has it.
        outer: the loan of a call that this one interrupts, as from a signal handler.
        slots: the slot of the limiter, while it is taken.
        connections: the connection, while it is out of the pool.
    """

    __slots__ = ("connections", "frame", "outer", "slots")

    def __init__(self, frame: FrameType, outer: Loan | None) -> None:
        self.frame, self.outer = frame, outer
        self.slots: list[None] = []
        self.connections: list[sqlite3.Connection] = []


class SqlitePool(fork.ForkAware):
    """At most `size` connections, opened on demand, each used by one thread at a time.

    A returned connection is rolled back, and closed if that fails. The pool knows what each thread
    has, and slots and connections change hands in single steps, so that an interrupt loses none:
    what it leaves with a thread goes back at the thread's next call.

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
        self._loans: dict[int, Loan] = {}  # by thread
        self._paused = 0
        self._closed = False
        self.writing = interrupts.new_lock()
        fork.register(self)

    def acquire(self, depth: int = 1) -> Loan:
        """Lend a connection that is in no transaction.

        Args:
            depth: how many calls above this one the loan is given back.

        Raises:
            BackendTimeout: none was returned within the time-out.
            BackendError: the pool is closed, or opening failed.
        """
        self._take_back()
        thread_id = threading.get_ident()
        loan = Loan(sys._getframe(depth), self._loans.get(thread_id))
        self._loans[thread_id] = loan
        try:
            self._limiter.acquire(self._seconds_to_wait, limited(self._timeout), loan.slots)
            if self._closed:
                raise BackendError(f"{self._location} is closed: open a new backend")
            try:
                interrupts.take(loan.connections, self._idle.pop, -1)
            except IndexError:
                loan.connections.append(self._open())
        except BaseException:
            self.release(loan)
            raise
        return loan

    def release(self, loan: Loan) -> None:
        """Return a connection, in whatever state it is."""
        for connection in loan.connections:
            try:
                if connection.in_transaction:
                    connection.rollback()
            except sqlite3.Error:
                loan.connections.clear()
                connection.close()
        if loan.connections:
            interrupts.take(self._idle, loan.connections.pop, -1)
        self._limiter.release_noted(loan.slots)
        self._forget(loan)
        if self._closed:
            self._close_idle()
        self._limiter.yield_to_waiting()

    def _take_back(self) -> None:
        """Have what an interrupted call of this thread left."""
        while loan := self._loans.get(threading.get_ident()):
            if interrupts.is_running(loan.frame):
                break
            self.release(loan)

    def _forget(self, loan: Loan) -> None:
        thread_id = threading.get_ident()
        if self._loans.get(thread_id) is not loan:
            return
        if loan.outer is None:
            del self._loans[thread_id]
        else:
            self._loans[thread_id] = loan.outer

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
        self._take_back()
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
        self._take_back()
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
        self._loans = {}
        self._paused = 0
        self.writing = interrupts.new_lock()
