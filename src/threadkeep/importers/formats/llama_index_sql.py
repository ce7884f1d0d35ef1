"""LlamaIndex's `SQLAlchemyChatStore`, whose archived messages come along; `PostgresChatStore`."""

from collections.abc import Iterator
from typing import Final

from threadkeep.importers.database import Database, MessageRows, TableReader, Tables, decoded
from threadkeep.importers.formats.llama_index import message
from threadkeep.importers.values import Chat, Context, Part

_ROWS: Final = MessageRows(
    "id", "key", "data", "timestamp", ("timestamp", "id"), lambda _: "llama-sql"
)
_CHAT_COLUMNS: Final = ("id", "key", "value")


def _read(database: Database, context: Context) -> Iterator[Part]:
    return _ROWS.chats(database, context)


READER: Final = TableReader("llama-index-sql", "LlamaIndex's SQL chat store", _ROWS.is_in, _read)


def _chat_tables(tables: Tables) -> list[str]:
    return [table for table in sorted(tables) if tables[table] == set(_CHAT_COLUMNS)]


def _has_chat_tables(tables: Tables) -> bool:
    return bool(_chat_tables(tables))


def _read_chats(database: Database, context: Context) -> Iterator[Part]:
    """A session in each row."""
    for table in _chat_tables(database.tables()):
        for row_id, session_id, chat_json in database.rows(table, _CHAT_COLUMNS, ("id",)):
            location = f"{context.label}:{table} row {row_id}"
            try:
                dumps = [decoded(text) for text in decoded(chat_json) or ()]
            except (ValueError, TypeError):
                context.skip(location, "the messages are not a list of JSON")
                continue
            yield Chat(
                str(session_id),
                location,
                [message(dump, n, location) for n, dump in enumerate(dumps)],
            )


POSTGRES_READER: Final = TableReader(
    "llama-index-postgres", "LlamaIndex's PostgresChatStore", _has_chat_tables, _read_chats
)
