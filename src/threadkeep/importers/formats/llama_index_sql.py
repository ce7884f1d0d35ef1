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
    return [name for name in sorted(tables) if tables[name] == set(_CHAT_COLUMNS)]


def _has_chat_tables(tables: Tables) -> bool:
    return bool(_chat_tables(tables))


def _read_chats(database: Database, context: Context) -> Iterator[Part]:
    """A session in each row."""
    for table in _chat_tables(database.tables()):
        for number, key, value in database.rows(table, _CHAT_COLUMNS, ("id",)):
            place = f"{context.label}:{table} row {number}"
            try:
                messages = [decoded(text) for text in decoded(value) or ()]
            except (ValueError, TypeError):
                context.skip(place, "the messages are no list of JSON")
                continue
            yield Chat(str(key), place, [message(m, n, place) for n, m in enumerate(messages)])


POSTGRES_READER: Final = TableReader(
    "llama-index-postgres", "LlamaIndex's PostgresChatStore", _has_chat_tables, _read_chats
)
