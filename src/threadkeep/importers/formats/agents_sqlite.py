"""The OpenAI Agents SDK's `SQLiteSession`."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from threadkeep.importers.database import TableReader, Tables, quoted, table_with, tables
from threadkeep.importers.json_entries import parsed
from threadkeep.importers.values import Chat, Context, Message, Part

_COLUMNS: Final = ("id", "session_id", "message_data", "created_at")


def _matches(found: Tables) -> bool:
    return table_with(found, *_COLUMNS) is not None


def _read(connection: sqlite3.Connection, context: Context) -> Iterator[Part]:
    table = table_with(tables(connection), *_COLUMNS) or "agent_messages"
    rows = connection.execute(
        f"SELECT id, session_id, message_data, created_at FROM {quoted(table)} "  # noqa: S608
        "ORDER BY session_id, id"
    )
    for session, of_session in groupby(rows, key=lambda row: str(row[1])):
        yield Chat(session, f"{context.label}:{table}", _messages(of_session, context))


READER: Final = TableReader("openai-agents", "Sessions of the Agents SDK", _matches, _read)


def _messages(rows: Iterator[Any], context: Context) -> Iterator[Message]:
    for number, _, text, created_at in rows:
        location = f"{context.label} row {number}"
        try:
            item = parsed(text)
        except (ValueError, TypeError):
            context.skip(location, "the item is no JSON")
            continue
        if isinstance(item, dict):  # the SDK gives all items of some models the same id
            item = {key: value for key, value in item.items() if key != "id"}
        yield Message(item, location, f"agents-sqlite:{number}", created_at)
