"""LangChain's `SQLChatMessageHistory`, and both of its `PostgresChatMessageHistory` classes."""

from collections.abc import Iterator
from typing import Final

from threadkeep.importers.database import Database, MessageRows, TableReader
from threadkeep.importers.values import Context, Part

_ROWS: Final = MessageRows(
    "id", "session_id", "message", "created_at", ("id",), lambda table: f"langchain-sql:{table}"
)


def _read(database: Database, context: Context) -> Iterator[Part]:
    return _ROWS.chats(database, context)


READER: Final = TableReader("langchain-sql", "LangChain's SQL history", _ROWS.is_in, _read)
