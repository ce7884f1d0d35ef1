"""Turns options or an engine into a connection pool, and creates or migrates the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from threadkeep.backends.common import fork_gate
from threadkeep.backends.common.deadline import Deadline, format_wait
from threadkeep.backends.common.faults import Failed, FaultKind
from threadkeep.backends.common.server_clock import ServerClock
from threadkeep.backends.sql import drivers, options, schema, watchdog
from threadkeep.backends.sql.dialect import Dialect
from threadkeep.backends.sql.drivers import DRIVERS
from threadkeep.backends.sql.names import TableNames
from threadkeep.backends.sql.pool import ConnectionPool, SharedPool
from threadkeep.backends.sql.url import DatabaseTarget, Password
from threadkeep.errors import BackendError, BackendTimeout, ConfigError

if TYPE_CHECKING:
    from threadkeep.backends.sql.connection_calls import RetryingConnection

T = TypeVar("T")


class Database:
    """A database and its connection pool; nothing is connected yet.

    Attributes:
        location: the database, for people: no user, no password.
        source: the pool.
        clock: of the server; measured when the tables are prepared.
    """

    def __init__(
        self,
        url_or_engine: str | Engine | None,
        fields: Mapping[str, Any],
        password: Password,
        names: TableNames,
        pool_size: int,
    ) -> None:
        self._names = names
        self.clock = ServerClock()
        self._engine = url_or_engine if isinstance(url_or_engine, Engine) else None
        if self._engine is not None:
            self._target, self._connect_timeout = (
                _engine_target(self._engine, fields, password),
                None,
            )
        else:
            settings = dict(fields)
            connect_timeout = settings.pop("connect_timeout", None)
            target = options.build_target(_check_url(url_or_engine), settings, password)
            self._target, self._connect_timeout = _split_connect_timeout(target, connect_timeout)
        self.dialect = _load_dialect(self._target, names)
        self.location = f"{self.dialect.title} database {self.dialect.label(self._target)}"
        self.source: ConnectionPool | SharedPool = (
            ConnectionPool(self.connect, location=self.location, size=pool_size)
            if self._engine is None
            else SharedPool(self._engine, self.dialect, location=self.location)
        )

    @property
    def owns_connections(self) -> bool:
        """Whether they are opened here, and not by the application's engine."""
        return self._engine is None

    def prepare(self, calls: RetryingConnection, deadline: Deadline) -> None:
        """Create or migrate the tables if need be.

        Raises:
            BackendError: the tables are not threadkeep's, or newer, or the database is down.
        """
        schema_version = calls.run(self._version, deadline=deadline)
        if not schema.check(schema_version, self.location):
            calls.run_unpooled(lambda: self._run_with_engine(schema.migrate, deadline), deadline)

    def measure_clock(self, connection: Any) -> None:
        """Check a connection, which also tells the server's time."""
        self.clock.measure(lambda: self.dialect.check_connection(connection))

    def tables_version(self, calls: RetryingConnection, deadline: Deadline) -> int:
        """Returns the version of the tables, 0 if there are none; creates nothing.

        Raises:
            BackendError: the tables are not threadkeep's; or the database does not answer.
        """

        def existing_version(engine: Engine, *tables: Any) -> int:
            return schema.existing_version(engine, *tables[:-1])

        return calls.run_unpooled(
            lambda: self._run_with_engine(existing_version, deadline), deadline
        )

    def _version(self, connection: Any) -> int:
        self.measure_clock(connection)
        try:
            version_rows = self.dialect.run(connection, [(self.dialect.sql.select_version, {})])
        except self.dialect.errors as error:
            if self.dialect.classify(error).kind is not FaultKind.MISSING:
                raise
            connection.rollback()
            return 0
        return int(version_rows[0][0]) if version_rows else 0

    def _run_with_engine(self, operation: Callable[..., T], deadline: Deadline) -> T:
        """Run an operation of SQLAlchemy on a connection of its own."""
        engine = self._engine or create_engine(
            f"{self.dialect.driver}://",
            creator=lambda: self._migration_connection(deadline),
            poolclass=NullPool,
        )
        try:
            return operation(engine, self._names, self.dialect.columns, self.location, deadline)
        except DBAPIError as error:
            cause = error.orig if isinstance(error.orig, Exception) else error
            raise Failed(self.dialect.classify(cause), cause) from None
        except self.dialect.errors as error:
            raise Failed(self.dialect.classify(error), error) from None

    def _migration_connection(self, deadline: Deadline) -> Any:
        connection = self.connect(deadline)
        self.dialect.restore(connection, False)
        return connection

    def connect(self, deadline: Deadline) -> Any:
        """Open a connection; errors of the driver are left as they are."""
        connect_seconds = min(deadline.remaining(), self._connect_timeout or deadline.timeout)
        try:
            return watchdog.call_with_timeout(
                connect_seconds,
                lambda: self._open_connection(connect_seconds, deadline.timeout),
                lambda connection: connection.close(),
            )
        except watchdog.DeadlineExceeded:
            raise BackendTimeout(
                f"{self.location}: no connection within "
                f"{format_wait(connect_seconds, deadline.timeout, self._connect_timeout)}: "
                "check host, port and whether the server runs"
            ) from None

    def _open_connection(self, connect_timeout: float, limit: float) -> Any:
        """Open a connection; exceptions that are not the driver's become a `BackendError`.

        Such as TypeError, KeyError and UnicodeError, whose messages may repeat parameters.
        """
        # Outside the try: an error of a callable password is the application's.
        target = self._target.with_fields(password=self._target.resolve_password())
        try:
            with fork_gate.no_fork():
                return self.dialect.connect(target, connect_timeout, limit)
        except Exception as error:
            if isinstance(error, (BackendError, ConfigError, *self.dialect.errors)):
                raise
            raise BackendError(
                f"{self.location}: {type(error).__name__} in the driver while connecting: "
                "check host, port, user, password and the parameters of the URL"
            ) from None


def _check_url(url: object) -> str | None:
    if url is None or isinstance(url, str):
        return url
    raise ConfigError(f"expected a URL or a SQLAlchemy Engine, got a {type(url).__name__}")


def _split_connect_timeout(
    target: DatabaseTarget, connect_timeout: object
) -> tuple[DatabaseTarget, float | None]:
    """Take `connect_timeout` out of the parameters: drivers interpret it differently."""
    parameters = dict(target.parameters)
    url_timeout = parameters.pop("connect_timeout", None)
    if (
        connect_timeout is not None
        and url_timeout is not None
        and options.parse_seconds(url_timeout) != connect_timeout
    ):
        raise ConfigError("connect_timeout is given twice, and differently")
    connect_seconds = options.parse_seconds(connect_timeout if url_timeout is None else url_timeout)
    options.check_limits(1, 1.0, connect_seconds)
    return target.with_fields(parameters=parameters), connect_seconds


def _engine_target(engine: Engine, fields: Mapping[str, Any], password: Password) -> DatabaseTarget:
    for field_name in (
        *(field_name for field_name, field_value in fields.items() if field_value is not None),
    ):
        raise ConfigError(f"{field_name}: an Engine already defines where to connect")
    if password is not None:
        raise ConfigError("password: an Engine already defines where to connect")
    if engine.dialect.is_async:
        raise ConfigError("an async Engine cannot be used: pass its sync_engine's URL, or a URL")
    dialect_by_engine = {
        "postgresql": "postgresql",
        "mysql": "mysql",
        "mariadb": "mysql",
        "oracle": "oracle",
    }
    dialect = dialect_by_engine.get(engine.dialect.name)
    if dialect is None or engine.dialect.driver != DRIVERS[dialect].package:
        usable_drivers = ", ".join(f"{name}+{driver.package}" for name, driver in DRIVERS.items())
        raise ConfigError(
            f"an Engine for {engine.dialect.name}+{engine.dialect.driver} cannot be used; "
            f"these can: {usable_drivers}"
        )
    url = engine.url
    return DatabaseTarget(dialect, url.host, url.port, None, None, url.database)


def _load_dialect(target: DatabaseTarget, names: TableNames) -> Dialect:
    dialect_module = drivers.load(target.dialect, target.dialect)
    dialect: Dialect = getattr(dialect_module, DRIVERS[target.dialect].name)(target, names)
    return dialect
