"""All formats that are read, and which of them a document is of: one table."""

from collections.abc import Iterator, Sequence
from typing import Final

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.importers.database import Database, TableReader, Tables
from threadkeep.importers.formats import (
    agents_sqlite,
    chatgpt,
    claude,
    claude_code,
    codex,
    gemini,
    langchain,
    langchain_sql,
    langgraph_checkpoints,
    langgraph_store,
    langsmith,
    letta,
    libre_chat,
    llama_index,
    llama_index_sql,
    mem0,
    open_webui,
    openai_chat,
    sharegpt,
    solace,
    zep,
)
from threadkeep.importers.values import Context, FormatReader, JsonEntry, Part
from threadkeep.printable import shown

READERS: Final[Sequence[FormatReader]] = (
    chatgpt.READER,
    claude.READER,
    claude_code.READER,
    codex.READER,
    open_webui.READER,
    libre_chat.READER,
    gemini.READER,
    solace.READER,
    letta.READER,
    zep.READER,
    langsmith.READER,
    langchain.READER,
    llama_index.READER,
    sharegpt.READER,
    openai_chat.READER,
    mem0.READER,
)
"""Readers of JSON, the most particular first."""

TABLE_READERS: Final[Sequence[TableReader]] = (
    agents_sqlite.READER,
    langchain_sql.READER,
    llama_index_sql.READER,
    llama_index_sql.POSTGRES_READER,
    langgraph_store.READER,
    langgraph_checkpoints.READER,
)
"""Readers of databases."""


def tables_of(database: Database, context: Context) -> Iterator[tuple[str, Iterator[Part]]]:
    """What each format that is recognised reads of a database, with the format's name."""
    tables = database.tables()
    readers = [reader for reader in TABLE_READERS if reader.matches(tables)]
    if not readers:
        context.skip(context.label, _obstacle(tables))
    for reader in readers:
        yield reader.name, reader.read(database, context)


def _obstacle(tables: Tables) -> str:
    if any(table.startswith(("threadkeep", "session_history")) for table in tables):
        return "it is a store of threadkeep itself: `threadkeep copy` moves its sessions"
    return "none of its tables is recognised"


def reader_of(entries: Sequence[JsonEntry]) -> FormatReader | None:
    """The first reader that recognises one of the entries."""
    for reader in READERS:
        if any(reader.matches(entry.value) for entry in entries):
            return reader
    return None


def reader_named(name: str) -> FormatReader:
    """The reader of JSON of this name.

    Raises:
        ConfigError: there is none.
    """
    reader_by_name = {reader.name: reader for reader in READERS}
    if name not in reader_by_name:
        hint = did_you_mean(name, reader_by_name)
        raise ConfigError(f"format {shown(name, 40)} is unknown{hint}")
    return reader_by_name[name]
