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
from benchmarks.systems.servers import mariadb, postgres
from threadkeep.backends.sql.target import from_url

_NEWEST: Final = "SELECT body FROM message WHERE session = %s ORDER BY id DESC LIMIT %s"
_POSTGRES: Final = """CREATE TABLE IF NOT EXISTS message
    (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session text, body text)"""
_MYSQL: Final = """CREATE TABLE message (id BIGINT AUTO_INCREMENT PRIMARY KEY,
    session VARCHAR(100), body TEXT, KEY message_session (session, id)) CHARACTER SET utf8mb4"""


class _Raw:
    """One kept connection in autocommit, one table, one INSERT of many rows."""

    longest: ClassVar = 100_000
    _connection: Any

    def append(self, session: str, messages: Sequence[Message]) -> None:
        values = [value for message in messages for value in (session, json.dumps(message))]
        rows = ", ".join(["(%s, %s)"] * len(messages))
        with self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO message (session, body) VALUES {rows}", values)

    def recent(self, session: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(_NEWEST, (session, RECENT))
            return [json.loads(body) for (body,) in reversed(cursor.fetchall())]

    def size(self) -> None:
        return None

    def close(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("DROP TABLE message")
        self._connection.close()


class RawPostgres(_Raw):
    """Statements prepared at their second use."""

    raw: ClassVar = "raw_postgres"

    def __init__(self, folder: Path) -> None:
        self._connection = psycopg.connect(postgres(), autocommit=True, prepare_threshold=1)
        self._connection.execute(_POSTGRES)
        self._connection.execute("CREATE INDEX message_session ON message (session, id)")


class RawMysql(_Raw):
    """On MariaDB."""

    raw: ClassVar = "raw_mysql"

    def __init__(self, folder: Path) -> None:
        at = from_url(mariadb())
        self._connection = pymysql.connect(
            host=at.host,
            port=at.port or 3306,
            user=at.user,
            password=at.secret() or "",
            database=at.database,
            autocommit=True,
            ssl_disabled=True,
            charset="utf8mb4",
        )
        with self._connection.cursor() as cursor:
            cursor.execute(_MYSQL)
