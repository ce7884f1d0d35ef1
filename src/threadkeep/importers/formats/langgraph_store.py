"""LangGraph's `SqliteStore` and `PostgresStore`: memories under a namespace that names the user."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.database import Database, TableReader, Tables, decoded
from threadkeep.importers.values import Context, Knowledge, Part

_COLUMNS: Final = frozenset({"prefix", "key", "value", "created_at", "updated_at"})
_KEYS: Final = ("memory", "text", "content", "fact", "data", "value")
_KINDS: Final = frozenset({"memory", "memories", "facts", "users", "user", "semantic"})


def _matches(tables: Tables) -> bool:
    return tables.get("store", frozenset()) >= _COLUMNS


def _read(database: Database, context: Context) -> Iterator[Part]:
    columns = ("prefix", "key", "value", "updated_at")
    rows = database.rows("store", columns, ("prefix", "created_at", "key"))
    for namespace, memory_key, raw_memory, updated_at in rows:
        location = f"{context.label}:store {namespace}/{memory_key}"
        memory_text = _text(raw_memory)
        if memory_text is None:
            context.skip(location, "the value has no text of its own: application data")
            continue
        yield Knowledge("fact", memory_text, location, _user(namespace), observed_at=updated_at)


READER: Final = TableReader("langgraph-store", "LangGraph's SQL stores", _matches, _read)


def _text(value: Any) -> str | None:
    """The one text of a memory, also of LangMem's `{"kind": "Memory", "content": {...}}`."""
    try:
        raw_memory = decoded(value)
    except (ValueError, TypeError):
        return None
    for _ in range(2):
        if not isinstance(raw_memory, Mapping):
            break
        raw_memory = next((raw_memory[key] for key in _KEYS if key in raw_memory), None)
    return fields.name(raw_memory) if isinstance(raw_memory, str) else None


def _user(prefix: str) -> str | None:
    """`memories.ada` and `ada.memories` are ada's."""
    user_parts = [part for part in prefix.split(".") if part.lower() not in _KINDS]
    return user_parts[0] if len(user_parts) == 1 else None
