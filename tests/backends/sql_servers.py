"""The SQL servers of the tests, with what a test may ask of them past our code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, inspect, make_url, text

from tests.servers import mysql, mysql9, postgres, proxy
from tests.servers.instances import fresh_table
from threadkeep.backends.sql.url import DatabaseTarget, from_url

__all__ = ["EVERY_SERVER", "SERVERS", "SqlServer", "fresh_table"]


class SqlServer:
    """A database, by SQLAlchemy alone."""

    def __init__(self, type: str, url: str, driver: str) -> None:
        self.type = type
        self.url = url
        self.engine_url = url.replace(url.partition(":")[0], driver, 1)

    def target(self) -> DatabaseTarget:
        return from_url(self.url)

    @contextmanager
    def proxied(self) -> Iterator[tuple[proxy.Proxy, str]]:
        """A proxy before the server, and the URL that leads through it."""
        url, port = make_url(self.url), {"postgres": 5432, "mysql": 3306}[self.type]
        with proxy.before(url.port or port, url.host or "127.0.0.1") as between:
            there = url.set(host="127.0.0.1", port=between.port)
            yield between, there.render_as_string(hide_password=False)

    def run(self, statement: str) -> list[Any]:
        engine = create_engine(self.engine_url)
        try:
            with engine.begin() as connection:
                result = connection.execute(text(statement))
                return list(result) if result.returns_rows else []
        finally:
            engine.dispose()

    @contextmanager
    def held(self, statement: str) -> Iterator[None]:
        """While inside, another session has done this and not ended its transaction."""
        engine = create_engine(self.engine_url)
        try:
            with engine.connect() as connection:
                connection.execute(text(statement)).fetchall()
                yield
        finally:
            engine.dispose()

    def end_connections(self) -> None:
        """End all sessions of the user but this one."""
        if self.type == "postgres":
            self.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'threadkeep'"
            )
            return
        for (number,) in self.run(
            "SELECT id FROM information_schema.processlist "
            "WHERE user = 'ada' AND id <> connection_id()"
        ):
            self.run(f"KILL {number}")

    def count(self, table: str) -> int:
        return int(self.run(f"SELECT count(*) FROM {table}")[0][0])

    def tables(self, begin: str) -> set[str]:
        engine = create_engine(self.engine_url)
        try:
            names = inspect(engine).get_table_names()
        finally:
            engine.dispose()
        return {name for name in names if name == begin or name.startswith(f"{begin}_")}


def _postgres() -> SqlServer:
    return SqlServer("postgres", postgres.url(), "postgresql+psycopg")


def _mysql() -> SqlServer:
    return SqlServer("mysql", mysql.url(), "mysql+pymysql")


def _mysql9() -> SqlServer:
    return SqlServer("mysql", mysql9.url(), "mysql+pymysql")


SERVERS: dict[str, Callable[[], SqlServer]] = {"postgres": _postgres, "mysql": _mysql}
EVERY_SERVER = {**SERVERS, "mysql9": _mysql9}  # for tests that are quick
