"""The SQLite backend: options, transactions, and what goes wrong."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sqlite import (
    commit as writing,
)
from threadkeep.backends.sqlite import (
    describe as describing,
)
from threadkeep.backends.sqlite import (
    expire,
    schema,
    statements,
    vacuum,
    views,
)
from threadkeep.backends.sqlite import (
    read as reading,
)
from threadkeep.backends.sqlite.errors import locked, translate, translated
from threadkeep.backends.sqlite.head_cache import Heads
from threadkeep.backends.sqlite.pool import Pool
from threadkeep.core import cursor as cursors
from threadkeep.errors import ConfigError
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

MEMORY = ":memory:"


class SqliteBackend:
    """Streams in one SQLite file, for any number of threads and processes of one machine.

    The file is opened, and made if it is missing, at the first use. It must lie on a local disk:
    write-ahead logging (WAL) does not work on network drives. Beside it SQLite keeps `-wal` and
    `-shm` files while it is open; all three belong together. A fork waits for running calls.

    Args:
        path: the file, or `:memory:` for a store of this object alone.
        pool_size: how many calls may run at once.
        timeout: seconds to wait for a free connection, and for other processes' locks.
        synchronous: `NORMAL`: after a power cut the last commits may be missing, never half there;
            a crash of the process loses nothing. `FULL`: not even those, at a sync per commit.

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
        in_memory = str(path) == MEMORY
        self.blocking = True
        self._path = MEMORY if in_memory else str(Path(path).absolute())
        self._where = f"SQLite database {self._path}"
        self._timeout = float(timeout)
        self._synchronous = synchronous
        self._heads = Heads()
        self._pool = Pool(
            self._open,
            where=self._where,
            size=1 if in_memory else pool_size,
            timeout=self._timeout,
            keep=in_memory,
        )

    def __repr__(self) -> str:
        return f"SqliteBackend({self._path!r})"

    @property
    def in_use(self) -> int:
        """How many connections are lent now."""
        return self._pool.lent

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._connection() as connection:
            try:
                return self._read(connection, queries, now)
            except sqlite3.OperationalError as error:
                if not reading.undecodable(error):
                    raise
            connection.rollback()
            with reading.tolerant(connection):
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
        with self._connection(writing=True) as connection:
            connection.execute(statements.BEGIN_WRITE)
            commit = writing.apply(connection, self._heads, change)
            connection.execute(statements.COMMIT)
        return commit

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        after = "" if cursor is None else cursors.stream(cursor, prefix)
        with self._connection() as connection:
            rows = connection.execute(statements.STREAMS, (prefix, after, limit)).fetchall()
        names = [name for (name,) in rows if name.startswith(prefix)]
        return names, names[-1] if names and len(names) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._connection() as connection:
            dead = expire.find(connection, now, limit)
        if not any(dead):
            return 0
        with self._connection(writing=True) as connection:
            connection.execute(statements.BEGIN_WRITE)
            swept = expire.remove(connection, dead, now, limit)
            connection.execute(statements.COMMIT)
        return swept

    def purge(self, now: float) -> list[str]:
        """Take what was deleted out of the file's own bytes; where copies may be left.

        Takes as long as copying the file, needs as much room again, and keeps writers waiting.

        Raises:
            BackendTimeout: others did not leave the file alone within the time-out.
        """
        del now
        with self._connection(writing=True) as connection:
            return [*vacuum.purge(connection), "backups and snapshots of the file"]

    def describe(self) -> dict[str, str]:
        """What and where it is, for people; looks at the file and never makes one."""
        return describing.describe(self._path)

    def views(self) -> dict[str, str]:
        """The statement that makes each view for analytics; nothing is done."""
        return views.statements()

    def make_views(self) -> list[str]:
        """Make the views, or make them anew; their names."""
        with self._connection(writing=True) as connection:
            return views.make(connection)

    def drop_views(self) -> list[str]:
        """Drop the views; the names of those that were there."""
        with self._connection(writing=True) as connection:
            return views.drop(connection)

    def close(self) -> None:
        """Close every connection, also those lent now, as they come back."""
        with translated(self._where, self._timeout):
            self._pool.close()

    def _connection(self, *, writing: bool = False) -> _Lease:
        return _Lease(self._pool, self._where, self._timeout, writing)

    def _read(
        self, connection: sqlite3.Connection, queries: Sequence[Query], now: float
    ) -> list[Page]:
        if reading.is_short(queries):
            return reading.pages(connection, queries, now)
        connection.execute(statements.BEGIN_READ)
        pages = reading.pages(connection, queries, now)
        connection.execute(statements.COMMIT)
        return pages

    def _open(self) -> sqlite3.Connection:
        with translated(self._where, self._timeout):
            connection = sqlite3.connect(
                self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
            )
            try:
                deadline = Deadline(self._timeout)
                schema.prepare(connection, self._where, self._synchronous, deadline)
            except BaseException:
                connection.close()
                raise
        return connection


class _Lease:
    """One call's connection, and the driver's errors in our words; a class because it is fast."""

    __slots__ = ("_connection", "_lock", "_pool", "_timeout", "_where")

    def __init__(self, pool: Pool, where: str, timeout: float, writing: bool) -> None:
        self._pool = pool
        self._where = where
        self._timeout = timeout
        self._lock = pool.writing if writing else None

    def __enter__(self) -> sqlite3.Connection:
        if self._lock and not self._lock.acquire(timeout=self._timeout):
            raise locked(self._where, self._timeout)
        try:
            self._connection = self._pool.take()
        except BaseException:
            if self._lock:
                self._lock.release()
            raise
        return self._connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._pool.give_back(self._connection)
        finally:
            if self._lock:
                self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise translate(error, self._where, self._timeout) from error


def _check(path: object, pool_size: object, timeout: object, synchronous: object) -> None:
    if not isinstance(path, str | Path) or str(path) in ("", ".") or "\0" in str(path):
        raise ConfigError(f"path: expected the name of a file, or {MEMORY!r}, got {path!r}")
    if not isinstance(pool_size, int) or isinstance(pool_size, bool) or pool_size < 1:
        raise ConfigError(f"pool_size: expected a positive integer, got {pool_size!r}")
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not number or not math.isfinite(timeout) or timeout < 0:  # type: ignore[arg-type,operator]
        raise ConfigError(f"timeout: expected seconds, 0 or more, got {timeout!r}")
    if synchronous not in ("NORMAL", "FULL"):
        raise ConfigError(f"synchronous: expected 'NORMAL' or 'FULL', got {synchronous!r}")
