"""LangChain's `SQLChatMessageHistory` in an SQLite file."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from threadkeep.importers.database import TableReader, Tables, quoted, table_with, tables
from threadkeep.importers.json_entries import parsed
from threadkeep.importers.values import Chat, Context, Message, Part

_COLUMNS: Final = ("id", "session_id", "message")


def _matches(found: Tables) -> bool:
    return table_with(found, *_COLUMNS) is not None


def _read(connection: sqlite3.Connection, context: Context) -> Iterator[Part]:
    found = tables(connection)
    for table in sorted(found):
        if not found[table] >= set(_COLUMNS):
            continue
        date = "created_at" if "created_at" in found[table] else "NULL"
        rows = connection.execute(
            f"SELECT id, session_id, message, {date} FROM {quoted(table)} "  # noqa: S608 - quoted
            "ORDER BY session_id, id"
        )
        for session, of_session in groupby(rows, key=lambda row: str(row[1])):
            yield Chat(session, f"{context.label}:{table}", _messages(of_session, table, context))


READER: Final = TableReader("langchain-sql", "LangChain's SQL history", _matches, _read)


def _messages(rows: Iterator[Any], table: str, context: Context) -> Iterator[Message]:
    for number, _, text, created_at in rows:
        location = f"{context.label}:{table} row {number}"
        try:
            dump = parsed(text) if isinstance(text, str | bytes) else text
        except ValueError:
            context.skip(location, "the message is no JSON")
            continue
        yield Message(dump, location, f"langchain-sql:{table}:{number}", created_at)
