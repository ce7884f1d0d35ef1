"""The standard library's sqlite3 by hand: the least that a chat in SQLite can cost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from benchmarks.messages import Message
from benchmarks.systems import RECENT, files

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, session TEXT, body TEXT)"
)
_INDEX: Final = "CREATE INDEX IF NOT EXISTS message_session ON message (session, id)"
_INSERT: Final = "INSERT INTO message (session, body) VALUES (?, ?)"
_NEWEST: Final = "SELECT body FROM message WHERE session = ? ORDER BY id DESC LIMIT ?"


class RawSqlite:
    """One kept connection, one table, messages as JSON text; WAL, and a sync per checkpoint."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = sqlite3.connect(folder / "raw.db", timeout=30, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        with self._connection:
            self._connection.execute(_TABLE)
            self._connection.execute(_INDEX)

    def append(self, session: str, messages: Sequence[Message]) -> None:
        rows = [(session, json.dumps(message)) for message in messages]
        with self._connection:
            self._connection.executemany(_INSERT, rows)

    def recent(self, session: str) -> list[Any]:
        rows = self._connection.execute(_NEWEST, (session, RECENT)).fetchall()
        return [json.loads(body) for (body,) in reversed(rows)]

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._connection.close()
