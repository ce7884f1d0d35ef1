"""From what was said about a database to a pool on it, with its tables made and up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from threadkeep.backends.common.deadline import Deadline, span
from threadkeep.backends.sql import (
    driver_errors,
    drivers,
    options,
    schema,
    watchdog,
)
from threadkeep.backends.sql.dialect import Dialect
from threadkeep.backends.sql.drivers import DRIVERS
from threadkeep.backends.sql.names import Names
from threadkeep.backends.sql.pool import ConnectionPool, SharedPool
from threadkeep.backends.sql.url import Password, Target
from threadkeep.errors import BackendError, BackendTimeout, ConfigError

if TYPE_CHECKING:
    from threadkeep.backends.sql.connection_calls import RetryingConnection

T = TypeVar("T")


class Opening:
    """A database and the way to it; nothing is connected yet.

    Attributes:
        where: the database, for people: no user, no password.
        source: the pool.
    """

    def __init__(
        self,
        store: str | Engine | None,
        fields: Mapping[str, Any],
        password: Password,
        names: Names,
        pool_size: int,
    ) -> None:
        self._names = names
        self._engine = store if isinstance(store, Engine) else None
        if self._engine is not None:
            self._target, self._patience = _of_engine(self._engine, fields, password), None
        else:
            given = dict(fields)
            limit = given.pop("connect_timeout", None)
            target = options.target(_checked(store), given, password)
            self._target, self._patience = _patience(target, limit)
        self.dialect = _dialect(self._target, names)
        self.where = f"{self.dialect.title} database {self._target.described()}"
        self.source: ConnectionPool | SharedPool = (
            ConnectionPool(self._connect, where=self.where, size=pool_size)
            if self._engine is None
            else SharedPool(self._engine, self.dialect, where=self.where)
        )

    def prepare(self, calls: RetryingConnection, deadline: Deadline) -> None:
        """See that the tables are there, and of this version; make them if need be.

        Raises:
            BackendError: they are not ours, or newer; or the database does not answer.
        """
        version = calls.run(self._version, deadline=deadline)
        if not schema.check(version, self.where):
            calls.patiently(lambda: self._by_engine(schema.migrate, calls, deadline), deadline)

    def look(self, calls: RetryingConnection, deadline: Deadline) -> int:
        """The version of the tables; 0 = they are not there, and none are made.

        Raises:
            BackendError: they are not ours; or the database does not answer.
        """

        def look(engine: Engine, *tables: Any) -> int:
            return schema.found(engine, *tables[:-1])

        return calls.patiently(lambda: self._by_engine(look, calls, deadline), deadline)

    def _version(self, connection: Any) -> int:
        self.dialect.inspected(connection)
        try:
            rows = self.dialect.run(connection, [(self.dialect.sql.check, {})])
        except self.dialect.errors as error:
            if self.dialect.fault(error).kind is not driver_errors.Kind.MISSING:
                raise
            connection.rollback()
            return 0
        return int(rows[0][0]) if rows else 0

    def _by_engine(self, act: Callable[..., T], calls: RetryingConnection, deadline: Deadline) -> T:
        """SQLAlchemy on a connection of its own."""
        engine = self._engine or create_engine(
            f"{self.dialect.driver}://",
            creator=lambda: self._for_migration(deadline),
            poolclass=NullPool,
        )
        try:
            return act(engine, self._names, self.dialect.columns, self.where, deadline)
        except DBAPIError as error:
            cause = error.orig if isinstance(error.orig, Exception) else error
            raise calls.failed(cause) from None
        except self.dialect.errors as error:
            raise calls.failed(error) from None

    def _for_migration(self, deadline: Deadline) -> Any:
        connection = self._connect(deadline)
        self.dialect.restore(connection, False)
        return connection

    def _connect(self, deadline: Deadline) -> Any:
        seconds = min(deadline.left(), self._patience or deadline.timeout)
        try:
            return watchdog.within(
                seconds,
                lambda: self._open(seconds, deadline.timeout),
                lambda late: late.close(),
            )
        except watchdog.Late:
            raise BackendTimeout(
                f"{self.where}: no connection within "
                f"{span(seconds, deadline.timeout, self._patience)}: "
                "check host, port and whether the server runs"
            ) from None

    def _open(self, seconds: float, limit: float) -> Any:
        """A new connection; what drivers do not turn into errors of their own is an error of ours.

        Such are TypeError, KeyError and UnicodeError of parameters, whose messages may hold them.
        """
        # What a callable password raises is the application's own.
        target = self._target.but(password=self._target.secret())
        try:
            return self.dialect.connect(target, seconds, limit)
        except Exception as error:
            if isinstance(error, (BackendError, ConfigError, *self.dialect.errors)):
                raise
            raise BackendError(
                f"{self.where}: {type(error).__name__} in the driver while connecting: "
                "check host, port, user, password and the parameters of the URL"
            ) from None


def _checked(store: object) -> str | None:
    if store is None or isinstance(store, str):
        return store
    raise ConfigError(f"expected a URL or a SQLAlchemy Engine, got a {type(store).__name__}")


def _patience(target: Target, limit: object) -> tuple[Target, float | None]:
    """`connect_timeout` is ours to keep; drivers differ in what they make of it."""
    parameters = dict(target.parameters)
    said = parameters.pop("connect_timeout", None)
    if limit is not None and said is not None and options.seconds(said) != limit:
        raise ConfigError("connect_timeout is given twice, and differently")
    seconds = options.seconds(limit if said is None else said)
    options.check_limits(1, 1.0, seconds)
    return target.but(parameters=parameters), seconds


def _of_engine(engine: Engine, fields: Mapping[str, Any], password: Password) -> Target:
    for name in (*(name for name, value in fields.items() if value is not None),):
        raise ConfigError(f"{name}: an Engine says itself where to connect")
    if password is not None:
        raise ConfigError("password: an Engine says itself where to connect")
    if engine.dialect.is_async:
        raise ConfigError("an async Engine cannot be used: pass its sync_engine's URL, or a URL")
    kind = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "oracle": "oracle"}
    found = kind.get(engine.dialect.name)
    if found is None or engine.dialect.driver != DRIVERS[found].package:
        usable = ", ".join(f"{name}+{driver.package}" for name, driver in DRIVERS.items())
        raise ConfigError(
            f"an Engine for {engine.dialect.name}+{engine.dialect.driver} cannot be used; "
            f"these can: {usable}"
        )
    url = engine.url
    return Target(found, url.host, url.port, None, None, url.database)


def _dialect(target: Target, names: Names) -> Dialect:
    module = drivers.load(target.dialect, target.dialect)
    made: Dialect = getattr(module, DRIVERS[target.dialect].name)(target, names)
    return made
