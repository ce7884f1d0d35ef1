"""The SQLite backend: its options, transactions, and error mapping."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from threadkeep.backends.common import interrupts
from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.faults import map_exceptions, to_error
from threadkeep.backends.sqlite import (
    commit,
    describe,
    expire,
    read,
    reserve,
    schema,
    statements,
    vacuum,
    views,
)
from threadkeep.backends.sqlite.driver_errors import LOCKED, classify
from threadkeep.backends.sqlite.head_cache import Heads
from threadkeep.backends.sqlite.opened_file import OpenedFile
from threadkeep.backends.sqlite.pool import SqlitePool
from threadkeep.core import cursor as cursors
from threadkeep.core.call_limit import limited
from threadkeep.core.option_types import POOL_SIZE, WAIT
from threadkeep.errors import BackendError, ConfigError
from threadkeep.printable import shown
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

MEMORY = ":memory:"
T = TypeVar("T")


class SqliteBackend:
    """Streams in one SQLite file, for any number of threads and processes of one machine.

    The file is opened at the first use, and created if it is missing. It must be on a local disk:
    write-ahead logging (WAL) does not work on network drives. While it is open, SQLite keeps
    `-wal` and `-shm` files beside it; all three belong together. A fork waits for running calls.

    Args:
        path: the file, or `:memory:` for a private in-memory store.
        pool_size: how many calls may run at once.
        timeout: seconds to wait for a free connection, and for other processes' locks.
        synchronous: `NORMAL`: a power cut may lose the last commits, but never half of one; a
            crash of the process loses nothing. `FULL`: loses nothing, at the cost of one sync
            per commit.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        pool_size: int = 16,
        timeout: float = 30.0,
        synchronous: str = "NORMAL",
    ) -> None:
        _check(path, pool_size, timeout, synchronous)
        is_in_memory = str(path) == MEMORY
        self.blocking = True
        self._path = MEMORY if is_in_memory else str(Path(path).absolute())
        self._location = f"SQLite database {self._path}"
        self._timeout = float(timeout)
        self._synchronous = synchronous
        self._heads = Heads()
        self._file = OpenedFile(None if is_in_memory else self._path, self._location)
        self._pool = SqlitePool(
            self._open,
            location=self._location,
            size=1 if is_in_memory else pool_size,
            timeout=self._timeout,
            keep=is_in_memory,
        )

    def __repr__(self) -> str:
        return f"SqliteBackend({self._path!r})"

    @property
    def in_use(self) -> int:
        """The number of connections in use now."""
        return self._pool.in_use

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._connection() as connection:
            try:
                return self._read(connection, queries, now)
            except sqlite3.OperationalError as error:
                if not read.undecodable(error):
                    raise
            connection.rollback()
            with read.tolerant(connection):
                return self._read(connection, queries, now)

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        change = Change(stream, put, drop, ttl, expect, token, now)
        if drop and not put:
            return self._with_reserve(lambda: self._commit(change))
        return self._commit(change)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        last_name = "" if cursor is None else cursors.stream(cursor, prefix)
        with self._connection() as connection:
            rows = connection.execute(statements.STREAMS, (prefix, last_name, limit)).fetchall()
        stream_names = [name for (name,) in rows if name.startswith(prefix)]
        is_full_page = bool(stream_names) and len(stream_names) == limit
        return stream_names, stream_names[-1] if is_full_page else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._connection() as connection:
            expired_keys = expire.find_expired(connection, now, limit)
        if not any(expired_keys):
            return 0

        def remove() -> int:
            with self._connection(writing=True) as connection:
                connection.execute(statements.BEGIN_WRITE)
                swept_count = expire.remove_expired(connection, expired_keys, now, limit)
                connection.execute(statements.COMMIT)
            return swept_count

        return self._with_reserve(remove)

    def purge(self, now: float) -> list[str]:
        """Erase deleted data from the file's bytes; return where copies may remain.

        Takes as long as copying the file, needs as much free space, and blocks writers.

        Raises:
            BackendTimeout: other processes kept the file locked for the whole time-out.
        """
        del now

        def rewrite() -> list[str]:
            with self._connection(writing=True) as connection:
                return [*vacuum.purge(connection), "backups and snapshots of the file"]

        return self._with_reserve(rewrite)

    def describe(self) -> dict[str, str]:
        """Describe the store for people; reads the file and never creates one."""
        return describe.describe(self._path)

    def views(self) -> dict[str, str]:
        """The CREATE statement of each analytics view; executes nothing."""
        return views.statements()

    def make_views(self) -> list[str]:
        """Create or replace the views; return their names."""
        with self._connection(writing=True) as connection:
            return views.make(connection)

    def drop_views(self) -> list[str]:
        """Drop the views; return the names of those that existed."""
        with self._connection(writing=True) as connection:
            return views.drop(connection)

    def close(self) -> None:
        """Close every connection; those in use are closed when they are returned."""
        with map_exceptions(sqlite3.Error, classify, self._location, self._timeout):
            self._pool.close()

    def _commit(self, change: Change) -> Commit:
        with self._connection(writing=True) as connection:
            connection.execute(statements.BEGIN_WRITE)
            new_commit = commit.apply(connection, self._heads, change)
            connection.execute(statements.COMMIT)
        return new_commit

    def _with_reserve(self, action: Callable[[], T]) -> T:
        """Do what frees pages; on a full disk, with the room that was kept for it."""
        try:
            return action()
        except BackendError as error:
            if not reserve.is_full(error.__cause__) or not reserve.release(self._path):
                raise
        action_result = action()
        with contextlib.suppress(BackendError), self._connection(writing=True) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return action_result

    def _connection(self, *, writing: bool = False) -> _Lease:
        if writing:
            self._file.check()
        return _Lease(self._pool, self._location, self._timeout, writing)

    def _read(
        self, connection: sqlite3.Connection, queries: Sequence[Query], now: float
    ) -> list[Page]:
        if read.is_single_statement(queries):
            return read.pages(connection, queries, now)
        connection.execute(statements.BEGIN_READ)
        pages = read.pages(connection, queries, now)
        connection.execute(statements.COMMIT)
        return pages

    def _open(self) -> sqlite3.Connection:
        self._file.check()  # before an empty file is made in its place
        with map_exceptions(sqlite3.Error, classify, self._location, self._timeout):
            _create_private(self._path)
            connection = sqlite3.connect(
                self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
            )
            try:
                deadline = Deadline(self._timeout)
                schema.prepare(connection, self._location, self._synchronous, deadline)
            except BaseException:
                connection.close()
                raise
        self._file.remember()
        if self._path != MEMORY:
            reserve.keep(self._path)
        return connection


class _Lease:
    """Leases a connection for one call and maps driver errors; faster than a generator."""

    __slots__ = ("_connection", "_limit", "_location", "_lock", "_pool", "_timeout")

    def __init__(self, pool: SqlitePool, location: str, timeout: float, writing: bool) -> None:
        self._pool = pool
        self._location = location
        self._timeout = timeout
        self._limit = limited(timeout)
        self._lock = pool.writing if writing else None

    def __enter__(self) -> sqlite3.Connection:
        try:
            if self._lock and not self._lock.acquire(timeout=self._limit):
                raise to_error(LOCKED, self._location, self._limit)
            self._connection = self._pool.acquire()
            self._wait_for_locks(self._limit)
        except BaseException:
            if self._lock:
                interrupts.release_all(self._lock)
            raise
        return self._connection

    def __exit__(self, error_type: object, error: BaseException | None, traceback: object) -> None:
        try:
            self._wait_for_locks(self._timeout)
            self._pool.release(self._connection)
        finally:
            if self._lock:
                interrupts.release_all(self._lock)
        if isinstance(error, sqlite3.Error):
            raise to_error(classify(error), self._location, self._limit) from error

    def _wait_for_locks(self, seconds: float) -> None:
        """Say how long to wait for other processes, for a call with a limit of its own."""
        if self._limit < self._timeout:
            self._connection.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _create_private(path: str) -> None:
    """Create the file as its user's own; SQLite gives `-wal` and `-shm` the same rights."""
    if path != MEMORY:
        with contextlib.suppress(OSError):  # it is there, or SQLite says why it cannot be
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _check(path: object, pool_size: object, timeout: object, synchronous: object) -> None:
    if not isinstance(path, str | Path) or str(path) in ("", ".") or "\0" in str(path):
        raise ConfigError(
            f"path: expected the name of a file, or {shown(MEMORY)}, got {shown(path)}"
        )
    POOL_SIZE.check("pool_size", pool_size)
    WAIT.check("timeout", timeout)
    if synchronous not in ("NORMAL", "FULL"):
        raise ConfigError(f"synchronous: expected 'NORMAL' or 'FULL', got {shown(synchronous)}")
