"""psycopg and PyMySQL by hand, on private servers: the least that a chat there can cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import psycopg
import pymysql

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.servers import InMysql, InPostgres, mariadb, postgres
from threadkeep.backends.sql.url import from_url

_NEWEST: Final = "SELECT body FROM {} WHERE session = %s ORDER BY id DESC LIMIT %s"
_POSTGRES: Final = """CREATE TABLE {0}
    (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session text, body text);
    CREATE INDEX {0}_session ON {0} (session, id)"""
_MYSQL: Final = """CREATE TABLE {0} (id BIGINT AUTO_INCREMENT PRIMARY KEY,
    session VARCHAR(100), body TEXT, KEY {0}_session (session, id)) CHARACTER SET utf8mb4"""


class _Raw:
    """One kept connection in autocommit, one table, one INSERT of many rows."""

    longest: ClassVar = 100_000
    name: str
    _connection: Any

    def append(self, session: str, messages: Sequence[Message]) -> None:
        values = [value for message in messages for value in (session, json.dumps(message))]
        rows = ", ".join(["(%s, %s)"] * len(messages))
        with self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {self.name} (session, body) VALUES {rows}", values)

    def recent(self, session: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(_NEWEST.format(self.name), (session, RECENT))
            return [json.loads(body) for (body,) in reversed(cursor.fetchall())]

    def disconnect(self) -> None:
        self._connection.close()


class RawPostgres(_Raw, InPostgres):
    """Statements prepared at their second use."""

    raw: ClassVar = "raw_postgres"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._connection = psycopg.connect(postgres(), autocommit=True, prepare_threshold=1)
        self._connection.execute(_POSTGRES.format(self.name))


class RawMysql(_Raw, InMysql):
    """On MariaDB."""

    raw: ClassVar = "raw_mysql"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        at = from_url(mariadb())
        self._connection = pymysql.connect(
            host=at.host,
            port=int(at.port or 3306),
            user=at.user,
            password=at.resolve_password() or "",
            database=at.database,
            autocommit=True,
            ssl_disabled=True,
            charset="utf8mb4",
        )
        with self._connection.cursor() as cursor:
            cursor.execute(_MYSQL.format(self.name))
