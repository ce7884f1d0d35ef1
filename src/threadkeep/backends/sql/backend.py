"""The SQL backend: options, and the verbs of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Engine

from threadkeep.backends.common import fork
from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.faults import Fault, FaultKind, timeout_error
from threadkeep.backends.common.retry import run_commit
from threadkeep.backends.sql import commit_plan, expire, names, options
from threadkeep.backends.sql import read as reading
from threadkeep.backends.sql.connect import Database
from threadkeep.backends.sql.connection_calls import RetryingConnection
from threadkeep.backends.sql.views import Views
from threadkeep.core import cursor as cursors
from threadkeep.errors import BackendError
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

T = TypeVar("T")
_CONNECTING: Final = Fault(FaultKind.TIMEOUT, "another thread is connecting")


class SqlBackend:
    """Streams in PostgreSQL, MySQL 8, MariaDB or Oracle, for any number of threads and processes.

    Connects, and creates the tables, on first use. After a fork the child process opens
    connections of its own.

    Args:
        url: a URL (`postgresql://user:password@host:5432/database?sslmode=verify-full`, also
            `mysql://`, `mariadb://`, `oracle://`), or a SQLAlchemy `Engine` of the application's
            own, which is never closed here. `None`: use the other arguments.
        dialect: `postgresql`, `mysql` or `oracle`, where there is no URL.
        host: the server, also with its port: `db:5432`.
        port: its port.
        user: whom to log in as.
        password: a str, or a callable that is called for each new connection.
        database: the name of the database; Oracle: of the service.
        table_name: the table of records, also `schema.table`; the other names derive from it.
        pool_size: the maximum number of connections.
        timeout: seconds a call may take in all: waiting for a connection, the database, retries.
        connect_timeout: seconds a connection attempt may take, within `timeout`.
        **parameters: further driver options, such as `sslmode` and `sslrootcert`, as in the URL.

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
        address: dict[str, Any] = {"dialect": dialect, "host": host, "port": port, "user": user}
        address |= {"database": database, "connect_timeout": connect_timeout, **parameters}
        self.blocking = True
        self._names = names.parse(table_name)
        self._database = Database(url, address, password, self._names, pool_size)
        self._dialect = self._database.dialect
        self._pool = self._database.source
        self._timeout = float(timeout)
        self._calls = RetryingConnection(
            self._pool, self._dialect, location=self._database.location, timeout=self._timeout
        )
        if self._database.owns_connections:
            self._calls.ping_by(self._database.connect)
        self._ready = False
        self._lock = fork.ProcessLock()

    def __repr__(self) -> str:
        return f"SqlBackend({self._database.location}, table_name={str(self._names)!r})"

    @property
    def in_use(self) -> int:
        """The number of connections in use now."""
        return self._pool.in_use

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
        return run_commit(self._run, partial(self._commit, change=change), change)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        last_listed_name = None if cursor is None else cursors.stream(cursor, prefix)
        # never empty: Oracle takes that for NULL
        lower_bound = last_listed_name or prefix or "\x01"
        parameters = {"low": lower_bound, "limit": limit + 1}
        list_step = (self._dialect.sql.streams, parameters)
        name_rows = self._run(lambda connection: self._dialect.run(connection, [list_step]))
        listed_names = [self._dialect.text(stream_name) for (stream_name,) in name_rows]
        next_names = [
            stream_name for stream_name in listed_names if stream_name != last_listed_name
        ][:limit]
        page_names = [stream_name for stream_name in next_names if stream_name.startswith(prefix)]
        return page_names, page_names[-1] if page_names and len(page_names) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        def run(sweep: Callable[..., int]) -> int:
            return self._run(lambda connection: sweep(self._dialect, connection, now, limit))

        return run(expire.sweep_streams) + run(expire.sweep_records)

    def purge(self, now: float) -> list[str]:
        """Overwrite deleted rows where the database allows it; returns where copies may remain."""
        del now
        try:
            self._run(lambda connection: self._dialect.run(connection, self._dialect.purge))
        except BackendError as error:
            return [f"deleted rows in the tables ({error})", *self._dialect.remaining_copies]
        return list(self._dialect.remaining_copies)

    def views(self) -> dict[str, str]:
        """Returns the statement that creates each view for analytics; runs none of them."""
        return Views(self._dialect, self._names).statements()

    def make_views(self) -> list[str]:
        """Create or replace the views; returns their names."""
        views = Views(self._dialect, self._names)
        self._run(lambda connection: self._dialect.run(connection, views.make()))
        return views.names

    def drop_views(self) -> list[str]:
        """Drop the views if they exist; returns their names."""
        views = Views(self._dialect, self._names)
        self._run(lambda connection: self._dialect.run(connection, views.drop()))
        return views.names

    def describe(self) -> dict[str, str]:
        """Describe the server and the tables; creates nothing."""
        deadline = Deadline(self._timeout)
        description = self._calls.run(self._dialect.server_info, deadline=deadline)
        schema_version = self._database.tables_version(self._calls, deadline)
        table_names = ", ".join((str(self._names), self._names.streams, self._names.meta))
        description |= {"tables": table_names, "exists": "yes" if schema_version else "no"}
        return description | ({"schema": str(schema_version)} if schema_version else {})

    def clock_offset(self, *, renew: bool = False) -> float | None:
        """Seconds by which the server's clock is ahead; `None` on Oracle, which is not asked."""
        if not self._ready:
            self._prepare(Deadline(self._timeout))
        elif renew:
            self._run(self._database.measure_clock)
        return self._database.clock.offset

    def close(self) -> None:
        """Close the connections opened here; those in use, when they are released."""
        self._pool.close()
        self._calls.close()

    def _run(self, work: Callable[[Any], T], *, repeatable: bool = True) -> T:
        deadline = Deadline(self._timeout)
        if not self._ready:
            self._prepare(deadline)
        return self._calls.run(work, deadline=deadline, repeatable=repeatable)

    def _prepare(self, deadline: Deadline) -> None:
        """Create or migrate the tables, once, in the first thread that calls."""
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise timeout_error(_CONNECTING, self._database.location, deadline.timeout)
        try:
            if not self._ready:
                self._database.prepare(self._calls, deadline)
                self._ready = True
        finally:
            self._lock.release()

    def _commit(self, connection: Any, change: Change) -> Commit:
        dialect = self._dialect
        fast_commit = dialect.commit_fast(connection, change)
        if fast_commit is not None:
            return fast_commit
        parameters = {"stream": change.stream}
        head_rows = dialect.run(connection, [*dialect.begin, (dialect.sql.head, parameters)])
        head_row = commit_plan.row(dialect, head_rows[0]) if head_rows else None
        plan = commit_plan.plan(dialect, head_row, change)
        seq_rows = dialect.run(connection, [*plan.steps, ("COMMIT", {})])
        return commit_plan.answer(plan, seq_rows, dialect, change)
