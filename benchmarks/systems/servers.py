"""Servers for the benchmarks: a URL of the environment, else a private one that syncs no commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pymysql
import redis as driver
import sqlalchemy
from _pytest.outcomes import Skipped

from tests.servers import mongodb as documents
from tests.servers import mysql
from tests.servers import postgres as postgresql
from tests.servers import redis as keys
from tests.servers.instances import fresh_table


def postgres() -> str:
    """The URL of a PostgreSQL.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(postgresql.url)


def mariadb() -> str:
    """The URL of a MariaDB.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(mysql.url)


def redis() -> str:
    """The URL of a Redis.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(keys.url)


def mongodb() -> str:
    """The URL of a MongoDB.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(documents.url)


def async_postgres() -> str:
    """The same for SQLAlchemy's asyncio."""
    url = sqlalchemy.make_url(postgres()).set(drivername="postgresql+asyncpg")
    return url.render_as_string(hide_password=False)


class _OnServer:
    """What is stored under a name of its own; measured, then dropped, by `close`."""

    def __init__(self) -> None:
        self.name = f"{fresh_table()}x"  # so that none begins with another
        self._bytes: int | None = None

    def size(self) -> int:
        """Bytes on the server."""
        return self._bytes or 0

    def disconnect(self) -> None:
        """Close what is open."""
        raise NotImplementedError

    def close(self) -> None:
        """Measure, close, drop; once."""
        if self._bytes is None:
            self._bytes = self._measured()
            self.disconnect()
            self._dropped()

    def _measured(self) -> int:
        raise NotImplementedError

    def _dropped(self) -> None:
        raise NotImplementedError


class InPostgres(_OnServer):
    """Tables whose names begin with `name`."""

    _TABLES = "FROM pg_class WHERE relkind = 'r' AND starts_with(relname, %s)"

    def _measured(self) -> int:
        (row,) = self._run(f"SELECT sum(pg_total_relation_size(oid)) {self._TABLES}", self.name)
        return int(row[0] or 0)

    def _dropped(self) -> None:
        for (table,) in self._run(f"SELECT relname {self._TABLES}", self.name):
            self._run(f'DROP TABLE "{table}" CASCADE')

    def _run(self, statement: str, *values: str) -> list[Any]:
        with psycopg.connect(postgres(), autocommit=True) as connection:
            done = connection.execute(statement, values or None)
            return done.fetchall() if done.description else []


class InMysql(_OnServer):
    """Tables whose names begin with `name`."""

    def _measured(self) -> int:
        for table in self._tables():
            self._run(f"ANALYZE TABLE `{table}`")
        (row,) = self._run(
            "SELECT SUM(data_length + index_length) FROM information_schema.tables "
            "WHERE table_name LIKE %s",
            f"{self.name}%",
        )  # pages in use: files grow by megabytes at once
        return int(row[0] or 0)

    def _dropped(self) -> None:
        for table in self._tables():
            self._run(f"SET FOREIGN_KEY_CHECKS = 0; DROP TABLE `{table}`")

    def _tables(self) -> list[str]:
        named = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE %s"
        return [table for (table,) in self._run(named, f"{self.name}%")]

    def _run(self, statement: str, *values: str) -> list[Any]:
        at = sqlalchemy.make_url(mariadb())
        connection = pymysql.connect(
            host=at.host,
            port=at.port or 3306,
            user=at.username,
            password=at.password or "",
            database=at.database,
            autocommit=True,
            client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())


class InRedis(_OnServer):
    """Keys whose names begin with `name`."""

    def _measured(self) -> int:
        with driver.Redis.from_url(redis()) as client:
            keys = client.scan_iter(f"{self.name}*", count=1000)
            return sum(client.memory_usage(key, samples=0) or 0 for key in keys)

    def _dropped(self) -> None:
        with driver.Redis.from_url(redis()) as client:
            for key in client.scan_iter(f"{self.name}*", count=1000):
                client.unlink(key)


def _url(find: Callable[[], str]) -> str:
    try:
        return find()
    except Skipped as skipped:
        raise ModuleNotFoundError(str(skipped)) from None
