"""The stores that make views, and what reads them past our code."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, text

from tests.servers import mysql, postgres
from tests.servers.instances import fresh_table
from threadkeep import connect
from threadkeep.api.memory import Memory


class Store(NamedTuple):
    """How to open it, how its views begin, and how to ask it in SQL: rows as dicts."""

    open: Callable[..., Memory]
    prefix: str
    ask: Callable[[str], list[dict[str, Any]]]

    def rows(self, view: str, where: str = "") -> list[dict[str, Any]]:
        return self.ask(f"SELECT * FROM {self.prefix}_{view} {where}")


def _sqlite(path):
    def ask(statement):
        with closing(sqlite3.connect(path / "chat.db", isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement)]

    return Store(lambda **how: connect(f"sqlite:///{path}/chat.db", **how), "threadkeep", ask)


def _sql(url, kind, driver):
    table = fresh_table()
    options = {"type": kind, "url": url, "table_name": table}

    def ask(statement):
        engine = create_engine(url.replace(url.partition(":")[0], driver, 1))
        try:
            with engine.begin() as connection:
                result = connection.execute(text(statement))
                return [dict(row) for row in result.mappings()] if result.returns_rows else []
        finally:
            engine.dispose()

    return Store(lambda **how: connect(options, **how), table, ask)


STORES = {
    "sqlite": _sqlite,
    "postgres": lambda _: _sql(postgres.url(), "postgres", "postgresql+psycopg"),
    "mysql": lambda _: _sql(mysql.url(), "mysql", "mysql+pymysql"),
}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return STORES[request.param](tmp_path)
