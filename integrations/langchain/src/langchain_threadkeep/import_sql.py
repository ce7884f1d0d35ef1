"""Conversations of LangChain's own SQL histories, taken over without touching them."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage, ChatMessage, messages_from_dict

from langchain_threadkeep.codec import to_item
from threadkeep import Item, Memory
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    import sqlalchemy

_BATCH: Final = 500
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_DATE: Final = "created_at"

_log = logging.getLogger("threadkeep.langchain")


def import_sql(
    engine: sqlalchemy.Engine | str,
    memory: Memory | str,
    *,
    user_id: UserId | None = None,
    table_name: str = "message_store",
    session_id_field_name: str = "session_id",
    schema: str | None = None,
) -> dict[str, int]:
    """Copy the conversations of a table of LangChain's; messages of each.

    The tables of `SQLChatMessageHistory` and of both classes `PostgresChatMessageHistory` (of
    langchain-postgres and langchain-community) are understood. Nothing is written there. Every id
    is made of its row's number, so that an import that broke off, or is repeated after more was
    said, adds only what is new. A message of a type that LangChain itself cannot read back
    becomes a `ChatMessage`; a row that is no message at all is passed over and logged.

    Args:
        engine: where they are: a synchronous SQLAlchemy `Engine`, or its URL.
        memory: where to: a `Memory`, or a URL.
        user_id: whose sessions they become; `None` = nobody's yet.
        table_name: as the history was told.
        session_id_field_name: as the history was told.
        schema: where the table is; `None` = where the database looks by itself.

    Raises:
        ConfigError: the table is not there, or not as LangChain makes it, or `user_id` is none.
        MissingExtra: SQLAlchemy is not installed.
        NotOwner: a session of that id belongs to another user here; those before it are there.
    """
    owner = optional_user_id(user_id, "user_id")
    target, counts = shared(memory), dict[str, int]()
    with _opened(engine) as source:
        rows = _rows(source, table_name, session_id_field_name, schema)
        for session, run in groupby(rows, key=lambda row: str(row.session)):
            items = (item for row in run if (item := _item(row, table_name)) is not None)
            copied = _add(target, session, owner, items)
            counts[session] = counts.get(session, 0) + copied  # collations may mix "a" and "A"
    return counts


@contextmanager
def _opened(engine: sqlalchemy.Engine | str) -> Iterator[sqlalchemy.Engine]:
    """The engine, or one of our own that is gone afterwards."""
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
        made = sql.create_engine(url.set(drivername=_DRIVERS.get(url.drivername, url.drivername)))
    except (sql.exc.ArgumentError, ImportError) as error:
        raise ConfigError(f"import_sql cannot open this URL: {error}") from error
    _check_file(url)
    try:
        yield made
    finally:
        made.dispose()


def _check_file(url: sqlalchemy.URL) -> None:
    """SQLite makes a file that is not there, and nothing is to be written there."""
    path = url.database or ""
    is_path = url.get_backend_name() == "sqlite" and not path.startswith("file:")
    if is_path and not Path(path).is_file():
        raise ConfigError(f"there is no file {path!r} to import from")


def _rows(source: sqlalchemy.Engine, name: str, session: str, schema: str | None) -> Iterator[Any]:
    """Rows of `id`, `session`, `message` and `said`; sessions together, in their order."""
    import sqlalchemy as sql

    try:
        with source.connect().execution_options(yield_per=_BATCH) as connection:
            table = sql.Table(name, sql.MetaData(schema=schema), autoload_with=connection)
            id, whose, said = table.c["id"], table.c[session], table.c.get(_DATE, sql.null())
            wanted = sql.select(
                id, whose.label("session"), table.c["message"], said.label("said")
            ).order_by(whose, id)
            yield from connection.execute(wanted)
    except (sql.exc.SQLAlchemyError, KeyError) as error:
        raise ConfigError(f"{name!r} is no table of LangChain's: {error}") from error


def _item(row: Any, table: str) -> Item | None:
    try:
        data = json.loads(row.message) if isinstance(row.message, str | bytes) else row.message
        item = to_item(_message(data))
    except (ValueError, TypeError, KeyError) as error:
        what = type(error).__name__  # its text may hold what was said
        _log.warning("row %s of %s is no message (%s), passed over", row.id, table, what)
        return None
    said = row.said if isinstance(row.said, datetime) else None
    return dataclasses.replace(item, id=f"langchain-sql:{table}:{row.id}", created_at=said)


def _message(data: dict[str, Any]) -> BaseMessage:
    try:
        return messages_from_dict([data])[0]
    except ValueError:
        return ChatMessage(**{**data["data"], "role": data["type"], "type": "chat"})


def _add(memory: Memory, session: str, user: str | None, items: Iterable[Item]) -> int:
    chat, count, rest = memory.session(session, user=user), 0, iter(items)
    while batch := list(islice(rest, _BATCH)):
        chat.add(*batch)
        count += len(batch)
    return count
