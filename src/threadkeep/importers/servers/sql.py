"""PostgreSQL, MySQL and MariaDB as sources: rows come through a cursor of the server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import sqlalchemy as sql

from threadkeep.errors import ConfigError
from threadkeep.importers.database import Row, Tables
from threadkeep.importers.registry import tables_of
from threadkeep.importers.servers.source_errors import source_errors
from threadkeep.importers.values import Context, Part

_DRIVERS: Final = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_BATCH: Final = 500
_TIMEOUT: Final = 10  # seconds to connect


def sources(url: str, context: Context) -> Iterator[tuple[str, Iterator[Part]]]:
    """What the tables of the database's default schema hold."""
    with _opened(url) as engine, _read_errors(context.label):
        yield from tables_of(SqlDatabase(engine, context.label), context)


class SqlDatabase:
    """A `Database` on a server.

    Args:
        engine: connections to it.
        label: its name in errors.
    """

    def __init__(self, engine: sql.Engine, label: str) -> None:
        self._engine = engine
        self._label = label

    def tables(self) -> Tables:
        """As of a `Database`."""
        with _read_errors(self._label):
            columns_by_table = sql.inspect(self._engine).get_multi_columns()
        return {
            table: frozenset(column["name"] for column in table_columns)
            for (_, table), table_columns in columns_by_table.items()
        }

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        order_by: Sequence[str] = (),
        where: Mapping[str, object] | None = None,
    ) -> Iterator[Row]:
        """As of a `Database`; each has a connection of its own, so that they may be nested."""
        column_names = {*columns, *order_by, *(where or {})}
        table_clause = sql.table(table, *(sql.column(name) for name in column_names))
        statement = sql.select(*(table_clause.c[column_name] for column_name in columns))
        statement = statement.where(
            *(table_clause.c[column_name] == value for column_name, value in (where or {}).items())
        )
        statement = statement.order_by(*(table_clause.c[column_name] for column_name in order_by))
        query_options: dict[str, Any] = {"yield_per": _BATCH, "stream_results": True}
        with (
            _read_errors(self._label),
            self._engine.connect() as connection,
            connection.execution_options(**query_options).execute(statement) as result_rows,
        ):
            for row in result_rows:
                yield tuple(row)


@contextmanager
def _opened(url: str) -> Iterator[sql.Engine]:
    try:
        parsed_url = sql.make_url(url)
        driver = _DRIVERS[parsed_url.drivername.partition("+")[0]]
        connect_args: dict[str, Any] = {"connect_timeout": _TIMEOUT}
        engine = sql.create_engine(parsed_url.set(drivername=driver), connect_args=connect_args)
    except (sql.exc.ArgumentError, ValueError, KeyError):
        raise ConfigError(
            "the URL of the database cannot be read: percent-encode what is special in user and "
            "password"
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()


def _read_errors(label: str) -> AbstractContextManager[None]:
    return source_errors(label, sql.exc.SQLAlchemyError, _reason)


def _reason(error: Exception) -> object:
    """What the driver said, without the statement."""
    return getattr(error, "orig", None) or type(error).__name__
