"""Import conversations from LangChain's own SQL histories."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage, ChatMessage, messages_from_dict

from langchain_threadkeep.codec import to_item
from threadkeep import Item, Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import UserId, plain_user
from threadkeep.adapters.import_batches import BATCH, add_in_batches, check_source_file
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.printable import shown

if TYPE_CHECKING:
    import sqlalchemy

_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_DATE_FIELD: Final = "created_at"

_log = logging.getLogger("threadkeep.langchain")


@strict_arguments
def import_sql(
    engine: sqlalchemy.Engine | str,
    memory: Memory | str | None = None,
    *,
    user: UserId | None = None,
    table_name: str = "message_store",
    session_id_field_name: str = "session_id",
    schema: str | None = None,
    user_id: UserId | None = None,
) -> dict[str, int]:
    """Copy the conversations of a LangChain table; returns the number of messages per session.

    Supports the tables of `SQLChatMessageHistory` and of both `PostgresChatMessageHistory` classes
    (langchain-postgres and langchain-community). The source is only read. Ids are derived from row
    numbers, so an import that was interrupted, or is repeated later, adds only new messages. A
    message type that LangChain cannot read back becomes a `ChatMessage`; rows that are not
    messages are skipped and logged.

    Args:
        engine: the source: a synchronous SQLAlchemy `Engine`, or its URL.
        memory: the target: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        user: the owner of the imported sessions; `None` = no owner yet.
        table_name: the same argument as for the history.
        session_id_field_name: the same argument as for the history.
        schema: the table's schema; `None` = the database's default.
        user_id: another name for `user`.

    Raises:
        ConfigError: the table is missing or has other columns, or the user is not valid.
        MissingExtra: SQLAlchemy is not installed.
        NotOwner: a session with that id belongs to another user; earlier ones are imported.
    """
    owner = plain_user(user, user_id)
    target_memory, message_counts = shared_memory(memory), dict[str, int]()
    with _open_engine(engine) as source_engine:
        table_rows = _rows(source_engine, table_name, session_id_field_name, schema)
        for session_key, session_rows in groupby(table_rows, key=lambda row: str(row.session)):
            items = (
                item
                for table_row in session_rows
                if (item := _item(table_row, table_name)) is not None
            )
            copied_count = add_in_batches(target_memory, session_key, owner, items)
            # collations may mix "a" and "A"
            message_counts[session_key] = message_counts.get(session_key, 0) + copied_count
    return message_counts


@contextmanager
def _open_engine(engine: sqlalchemy.Engine | str) -> Iterator[sqlalchemy.Engine]:
    """Yield the engine, or open one for a URL and dispose of it afterwards."""
    try:
        import sqlalchemy as sql
    except ImportError as error:
        raise MissingExtra(
            'import_sql needs SQLAlchemy: pip install "threadkeep[postgres]"'
        ) from error
    if not isinstance(engine, str):
        yield engine
        return
    try:
        url = sql.make_url(engine)
        new_engine = sql.create_engine(
            url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        )
    except (sql.exc.ArgumentError, ImportError) as error:
        raise ConfigError(f"import_sql cannot open this URL: {error}") from error
    check_source_file(url.database, is_sqlite=url.get_backend_name() == "sqlite")
    try:
        yield new_engine
    finally:
        new_engine.dispose()


def _rows(
    source: sqlalchemy.Engine, name: str, session_field: str, schema: str | None
) -> Iterator[Any]:
    """Yield rows of `id`, `session`, `message` and `created_at`, ordered by session and id."""
    import sqlalchemy as sql

    try:
        with source.connect().execution_options(yield_per=BATCH) as connection:
            message_table = sql.Table(name, sql.MetaData(schema=schema), autoload_with=connection)
            id_column = message_table.c["id"]
            session_column = message_table.c[session_field]
            date_column = message_table.c.get(_DATE_FIELD, sql.null())
            rows_query = sql.select(
                id_column,
                session_column.label("session"),
                message_table.c["message"],
                date_column.label("created_at"),
            ).order_by(session_column, id_column)
            yield from connection.execute(rows_query)
    except (sql.exc.SQLAlchemyError, KeyError) as error:
        raise ConfigError(f"{shown(name)} is not a table of LangChain's: {error}") from error


def _item(row: Any, table: str) -> Item | None:
    try:
        message_data = (
            json.loads(row.message) if isinstance(row.message, str | bytes) else row.message
        )
        item = to_item(_message(message_data))
    except (ValueError, TypeError, KeyError) as error:
        error_name = type(error).__name__  # the error text may contain message text
        _log.warning("row %s of %s is not a message (%s), passed over", row.id, table, error_name)
        return None
    created_at = row.created_at if isinstance(row.created_at, datetime) else None
    return dataclasses.replace(item, id=f"langchain-sql:{table}:{row.id}", created_at=created_at)


def _message(data: dict[str, Any]) -> BaseMessage:
    try:
        return messages_from_dict([data])[0]
    except ValueError:
        return ChatMessage(**{**data["data"], "role": data["type"], "type": "chat"})
