"""LlamaIndex's `SQLAlchemyChatStore` in an SQLite file; archived messages come along."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from threadkeep.importers.database import TableReader, Tables, quoted, table_with, tables
from threadkeep.importers.json_entries import parsed
from threadkeep.importers.values import Chat, Context, Message, Part

_COLUMNS: Final = ("id", "key", "timestamp", "status", "data")


def _matches(found: Tables) -> bool:
    return table_with(found, *_COLUMNS) is not None


def _read(connection: sqlite3.Connection, context: Context) -> Iterator[Part]:
    table = table_with(tables(connection), *_COLUMNS) or "llama_index_memory"
    rows = connection.execute(
        f"SELECT id, key, timestamp, data FROM {quoted(table)} "  # noqa: S608 - quoted
        "ORDER BY key, timestamp, id"
    )
    for key, of_key in groupby(rows, key=lambda row: str(row[1])):
        yield Chat(key, f"{context.label}:{table}", _messages(of_key, context))


READER: Final = TableReader("llama-index-sql", "LlamaIndex's SQL chat store", _matches, _read)


def _messages(rows: Iterator[Any], context: Context) -> Iterator[Message]:
    for number, _, timestamp, text in rows:
        location = f"{context.label} row {number}"
        try:
            data = parsed(text)
        except (ValueError, TypeError):
            context.skip(location, "the message is no JSON")
            continue
        yield Message(data, location, f"llama-sql:{number}", timestamp)
