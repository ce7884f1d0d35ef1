"""Conversations of LlamaIndex's own stores, taken over without touching them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from llama_index.core.base.llms.types import ChatMessage

from llama_index.memory.threadkeep.codec import to_item
from threadkeep import Item, Memory
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError

_BATCH: Final = 500


def import_simple_chat_store(
    path: str | Path, memory: Memory | str, *, user_id: UserId | None = None
) -> dict[str, int]:
    """Copy the conversations of a file that `SimpleChatStore.persist` wrote; messages of each.

    Every id is made of the place and the words of a message, so that an import that broke off,
    or is repeated after more was said, adds only what is new.

    Args:
        path: the file.
        memory: where to: a `Memory`, or a URL.
        user_id: whose sessions they become; `None` = nobody's yet.

    Raises:
        ConfigError: it is no such file.
        NotOwner: a session of that key belongs to another user here; those before it are there.
    """
    owner = optional_user_id(user_id, "user_id")
    try:
        store = json.loads(Path(path).read_text("utf-8"))["store"]
        found = {str(key): list(messages) for key, messages in store.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} was not written by SimpleChatStore.persist: {error}") from error
    return {
        key: _add(shared(memory), key, owner, map(_placed, enumerate(messages)))
        for key, messages in found.items()
    }


def import_sqlalchemy_store(
    engine: sqlalchemy.Engine | str,
    memory: Memory | str,
    *,
    user_id: UserId | None = None,
    table_name: str = "llama_index_memory",
    schema: str | None = None,
) -> dict[str, int]:
    """Copy the conversations of a `SQLAlchemyChatStore`; messages of each, archived ones too.

    Nothing is written there. Every id is made of its row's number, so that an import that broke
    off, or is repeated after more was said, adds only what is new.

    Args:
        engine: where they are: a synchronous SQLAlchemy `Engine`, or its URL.
        memory: where to: a `Memory`, or a URL.
        user_id: whose sessions they become; `None` = nobody's yet.
        table_name: as the store was told.
        schema: as the store's `db_schema`.

    Raises:
        ConfigError: the table is not there, or not as `SQLAlchemyChatStore` makes it.
        NotOwner: a session of that key belongs to another user here; those before it are there.
    """
    owner = optional_user_id(user_id, "user_id")
    made = _engine(engine)
    names = ("id", "key", "timestamp", "data")
    columns = [sqlalchemy.Column(n, sqlalchemy.JSON if n == "data" else None) for n in names]
    table = sqlalchemy.Table(table_name, sqlalchemy.MetaData(schema=schema), *columns)
    order = (table.c.key, table.c.timestamp, table.c.id)
    counts = dict[str, int]()
    try:
        with made.connect() as connection:
            rows = connection.execute(sqlalchemy.select(*table.c).order_by(*order))
            for key, run in groupby(rows, key=lambda row: str(row.key)):
                counts[key] = _add(shared(memory), key, owner, map(_row, run))
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise ConfigError(f"no table of SQLAlchemyChatStore {table_name!r}: {error}") from error
    finally:
        if made is not engine:
            made.dispose()
    return counts


def _engine(given: sqlalchemy.Engine | str) -> sqlalchemy.Engine:
    if not isinstance(given, str):
        return given
    url = sqlalchemy.make_url(given)
    path = url.database or ""
    is_path = url.get_backend_name() == "sqlite" and not path.startswith("file:")
    if is_path and not Path(path).is_file():  # SQLite would make it
        raise ConfigError(f"there is no file {path!r} to import from")
    return sqlalchemy.create_engine(url)


def _placed(numbered: tuple[int, Mapping[str, Any]]) -> Item:
    number, data = numbered
    said = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    item = to_item(ChatMessage.model_validate(data), f"message {number}")
    return dataclasses.replace(item, id=f"llama-json:{number}:{said}")


def _row(row: Any) -> Item:
    item = to_item(ChatMessage.model_validate(row.data), f"row {row.id}")
    said = datetime.fromtimestamp(row.timestamp / 1e9, UTC)
    return dataclasses.replace(item, id=f"llama-sql:{row.id}", created_at=said)


def _add(memory: Memory, key: str, user: str | None, items: Iterable[Item]) -> int:
    found, chat = list(items), memory.session(key, user=user)
    for start in range(0, len(found), _BATCH):
        chat.add(*found[start : start + _BATCH])
    return len(found)
