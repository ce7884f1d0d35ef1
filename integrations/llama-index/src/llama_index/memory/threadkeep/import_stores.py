"""Import conversations from LlamaIndex's own stores."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy
from llama_index.core.base.llms.types import ChatMessage

from llama_index.memory.threadkeep.codec import to_item
from threadkeep import Item, Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import UserId, plain_user
from threadkeep.adapters.import_batches import add_in_batches, check_source_file
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown


@strict_arguments
def import_simple_chat_store(
    path: str | Path,
    memory: Memory | str | None = None,
    *,
    user: UserId | None = None,
    user_id: UserId | None = None,
) -> dict[str, int]:
    """Copy the conversations of a `SimpleChatStore.persist` file; returns the messages per key.

    Ids are derived from the position and content of a message, so an import that was interrupted,
    or is repeated later, adds only new messages.

    Args:
        path: the file.
        memory: the target: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        user: the owner of the imported sessions; `None` = no owner yet.
        user_id: another name for `user`.

    Raises:
        ConfigError: the file was not written by `SimpleChatStore.persist`.
        NotOwner: a session with that key belongs to another user; earlier ones are imported.
    """
    owner = plain_user(user, user_id)
    try:
        store = json.loads(Path(path).read_text("utf-8"))["store"]
        messages_by_key = {str(key): list(messages) for key, messages in store.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} was not written by SimpleChatStore.persist: {error}") from error
    return {
        key: add_in_batches(
            shared_memory(memory), key, owner, map(_numbered_item, enumerate(messages))
        )
        for key, messages in messages_by_key.items()
    }


@strict_arguments
def import_sqlalchemy_store(
    engine: sqlalchemy.Engine | str,
    memory: Memory | str | None = None,
    *,
    user: UserId | None = None,
    table_name: str = "llama_index_memory",
    schema: str | None = None,
    user_id: UserId | None = None,
) -> dict[str, int]:
    """Copy the conversations of a `SQLAlchemyChatStore`; returns the messages per key.

    Archived messages are included. The source is only read. Ids are derived from row numbers, so
    an import that was interrupted, or is repeated later, adds only new messages.

    Args:
        engine: the source: a synchronous SQLAlchemy `Engine`, or its URL.
        memory: the target: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        user: the owner of the imported sessions; `None` = no owner yet.
        table_name: the same argument as for the store.
        schema: the store's `db_schema`.
        user_id: another name for `user`.

    Raises:
        ConfigError: the table does not exist, or has other columns than `SQLAlchemyChatStore`'s.
        NotOwner: a session with that key belongs to another user; earlier ones are imported.
    """
    owner = plain_user(user, user_id)
    target_memory, source_engine = shared_memory(memory), _open_engine(engine)
    column_names = ("id", "key", "timestamp", "data")
    columns = [sqlalchemy.Column(n, sqlalchemy.JSON if n == "data" else None) for n in column_names]
    table = sqlalchemy.Table(table_name, sqlalchemy.MetaData(schema=schema), *columns)
    order_columns = (table.c.key, table.c.timestamp, table.c.id)
    count_by_session = dict[str, int]()
    try:
        with source_engine.connect() as connection:
            rows = connection.execute(sqlalchemy.select(*table.c).order_by(*order_columns))
            for session_id, key_rows in groupby(rows, key=lambda row: str(row.key)):
                count_by_session[session_id] = add_in_batches(
                    target_memory, session_id, owner, list(map(_item, key_rows))
                )
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise ConfigError(
            f"no table of SQLAlchemyChatStore {shown(table_name)}: {error}"
        ) from error
    finally:
        if source_engine is not engine:
            source_engine.dispose()
    return count_by_session


def _open_engine(engine: sqlalchemy.Engine | str) -> sqlalchemy.Engine:
    if not isinstance(engine, str):
        return engine
    url = sqlalchemy.make_url(engine)
    check_source_file(url.database, is_sqlite=url.get_backend_name() == "sqlite")
    return sqlalchemy.create_engine(url)


def _numbered_item(numbered_dump: tuple[int, Mapping[str, Any]]) -> Item:
    message_number, dump = numbered_dump
    digest = hashlib.sha256(json.dumps(dump, sort_keys=True).encode()).hexdigest()[:16]
    item = to_item(ChatMessage.model_validate(dump), f"message {message_number}")
    return dataclasses.replace(item, id=f"llama-json:{message_number}:{digest}")


def _item(row: Any) -> Item:
    item = to_item(ChatMessage.model_validate(row.data), f"row {row.id}")
    created_at = datetime.fromtimestamp(row.timestamp / 1e9, UTC)
    return dataclasses.replace(item, id=f"llama-sql:{row.id}", created_at=created_at)
