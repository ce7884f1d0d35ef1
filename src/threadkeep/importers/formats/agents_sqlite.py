"""The OpenAI Agents SDK's `SQLiteSession` and `SQLAlchemySession`."""

from collections.abc import Iterator
from typing import Final

from threadkeep.importers.database import Database, MessageRows, TableReader
from threadkeep.importers.values import Context, Part
from threadkeep.types import Json


def without_id(item: Json) -> Json:
    """An item without its id: the SDK gives all items of some models the same one."""
    return {key: item[key] for key in item if key != "id"} if isinstance(item, dict) else item


def _prefix(table: str) -> str:
    return "agents-sqlite" if table == "agent_messages" else f"agents-sqlite:{table}"


_ROWS: Final = MessageRows(
    "id", "session_id", "message_data", "created_at", ("id",), _prefix, without_id
)


def _read(database: Database, context: Context) -> Iterator[Part]:
    return _ROWS.chats(database, context)


READER: Final = TableReader("openai-agents", "Sessions of the Agents SDK", _ROWS.is_in, _read)
