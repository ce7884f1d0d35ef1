"""The SQL backend: options, and the verbs of the protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Engine

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sql import (
    commit_plan,
    expire,
    names,
    options,
)
from threadkeep.backends.sql import (
    read as reading,
)
from threadkeep.backends.sql.connect import Opening
from threadkeep.backends.sql.connection_calls import RetryingConnection
from threadkeep.backends.sql.driver_errors import late
from threadkeep.backends.sql.views import Views
from threadkeep.core import cursor as cursors
from threadkeep.errors import BackendError, Conflict
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

T = TypeVar("T")


class SqlBackend:
    """Streams in PostgreSQL, MySQL 8, MariaDB or Oracle, for any number of threads and processes.

    Nothing is connected before the first use, which also makes the tables. After a fork a child
    goes on with connections of its own.

    Args:
        url: a URL (`postgresql://user:password@host:5432/database?sslmode=verify-full`, also
            `mysql://`, `mariadb://`, `oracle://`), or a SQLAlchemy `Engine` of the application's
            own, which is never closed here. `None` = as the other arguments say.
        dialect: `postgresql`, `mysql` or `oracle`, where there is no URL.
        host: the server, also with its port: `db:5432`.
        port: its port.
        user: whom to log in as.
        password: a str, or a callable that is asked at each new connection.
        database: the name of the database; Oracle: of the service.
        table_name: of the table of records, also `schema.table`; the others are called after it.
        pool_size: connections at most.
        timeout: seconds a call may take in all: waiting for a connection, the database, retries.
        connect_timeout: seconds a connection attempt may take, within `timeout`.
        **parameters: what else the driver should know, such as `sslmode` and `sslrootcert`; as in
            the URL.

    Raises:
        ConfigError: an option is unknown, contradictory or out of range; it is named.
        MissingExtra: the driver is not installed.
    """

    def __init__(
        self,
        url: str | Engine | None = None,
        *,
        dialect: str | None = None,
        host: str | None = None,
        port: int | str | None = None,
        user: str | None = None,
        password: str | Callable[[], str] | None = None,
        database: str | None = None,
        table_name: str = names.DEFAULT,
        pool_size: int = 16,
        timeout: float = 30.0,
        connect_timeout: float | None = None,
        **parameters: Any,
    ) -> None:
        options.check_limits(pool_size, timeout, connect_timeout)
        fields: dict[str, Any] = {"dialect": dialect, "host": host, "port": port, "user": user}
        fields |= {"database": database, "connect_timeout": connect_timeout, **parameters}
        self.blocking = True
        self._names = names.parse(table_name)
        self._opening = Opening(url, fields, password, self._names, pool_size)
        self._dialect = self._opening.dialect
        self._pool = self._opening.source
        self._timeout = float(timeout)
        self._calls = RetryingConnection(
            self._pool, self._dialect, where=self._opening.where, timeout=self._timeout
        )
        self._ready = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SqlBackend({self._opening.where}, table_name={str(self._names)!r})"

    @property
    def in_use(self) -> int:
        """How many connections are lent now."""
        return self._pool.lent

    def read(self, *queries: Query, now: float) -> list[Page]:
        return self._run(lambda connection: reading.pages(self._dialect, connection, queries, now))

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
        change = Change(stream, put, drop, ttl, expect, token, now).unique()
        attempts = _Attempts(self._commit, change)
        return self._run(attempts, repeatable=expect is None or token is not None)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        after = None if cursor is None else cursors.stream(cursor, prefix)
        low = after or prefix or "\x01"  # never empty: Oracle takes that for NULL
        where = {"low": low, "limit": limit + 1}
        step = (self._dialect.sql.streams, where)
        rows = self._run(lambda connection: self._dialect.run(connection, [step]))
        found = [self._dialect.text(name) for (name,) in rows]
        fresh = [name for name in found if name != after][:limit]
        mine = [name for name in fresh if name.startswith(prefix)]
        return mine, mine[-1] if mine and len(mine) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        def swept(verb: Callable[..., int]) -> int:
            return self._run(lambda connection: verb(self._dialect, connection, now, limit))

        return swept(expire.streams) + swept(expire.records)

    def purge(self, now: float) -> list[str]:
        """Have the database overwrite deleted rows, where it can be told to; what may be left."""
        del now
        try:
            self._run(lambda connection: self._dialect.run(connection, self._dialect.purge))
        except BackendError as error:
            return [f"deleted rows in the tables ({error})", *self._dialect.leaves]
        return list(self._dialect.leaves)

    def views(self) -> dict[str, str]:
        """The statement that makes each view for analytics; nothing is done."""
        return Views(self._dialect, self._names).statements()

    def make_views(self) -> list[str]:
        """Make the views, or make them anew; their names."""
        views = Views(self._dialect, self._names)
        self._run(lambda connection: self._dialect.run(connection, views.make()))
        return views.names

    def drop_views(self) -> list[str]:
        """Drop the views, if they are there; their names."""
        views = Views(self._dialect, self._names)
        self._run(lambda connection: self._dialect.run(connection, views.drop()))
        return views.names

    def describe(self) -> dict[str, str]:
        """What the server says of itself, and which tables there are; none are made."""
        deadline = Deadline(self._timeout)
        said = self._calls.run(self._dialect.about, deadline=deadline)
        version = self._opening.look(self._calls, deadline)
        tables = ", ".join((str(self._names), self._names.streams, self._names.meta))
        said |= {"tables": tables, "exists": "yes" if version else "no"}
        return said | ({"schema": str(version)} if version else {})

    def close(self) -> None:
        """Close the connections opened here, also those lent now, as they come back."""
        self._pool.close()
        self._calls.watch.end()

    def _run(self, work: Callable[[Any], T], *, repeatable: bool = True) -> T:
        deadline = Deadline(self._timeout)
        if not self._ready:
            self._prepare(deadline)
        return self._calls.run(work, deadline=deadline, repeatable=repeatable)

    def _prepare(self, deadline: Deadline) -> None:
        """Look whether the tables are there, and make them if not: once, by the first thread."""
        if not self._lock.acquire(timeout=deadline.left()):
            raise late(self._opening.where, deadline.timeout, "another thread is connecting")
        try:
            if not self._ready:
                self._opening.prepare(self._calls, deadline)
                self._ready = True
        finally:
            self._lock.release()

    def _commit(self, connection: Any, change: Change) -> Commit:
        dialect = self._dialect
        done = dialect.fast(connection, change)
        if done is not None:
            return done
        where = {"stream": change.stream}
        rows = dialect.run(connection, [*dialect.begin, (dialect.sql.head, where)])
        row = commit_plan.row(dialect, rows[0]) if rows else None
        plan = commit_plan.plan(dialect, row, change)
        rows = dialect.run(connection, [*plan.steps, ("COMMIT", {})])
        return commit_plan.answer(plan, rows, dialect, change)


class _Attempts:
    """A commit and its repeats: if it ended the stream, they find nothing left, as it should be."""

    def __init__(self, commit: Callable[[Any, Change], Commit], change: Change) -> None:
        self._commit = commit
        self._change = change
        self._tried = False

    def __call__(self, connection: Any) -> Commit:
        try:
            return self._commit(connection, self._change)
        except Conflict as conflict:
            ends = not self._change.put and self._change.drops_stream
            if self._tried and ends and conflict.current == 0:
                connection.rollback()
                return Commit(0, [])
            raise
        finally:
            self._tried = True
