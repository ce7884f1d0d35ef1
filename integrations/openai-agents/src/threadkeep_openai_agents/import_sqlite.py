"""Conversations of the SDK's own SQLite sessions, taken over without touching them."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from threadkeep import Item, Memory
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError
from threadkeep_openai_agents.codec import to_item

_BATCH: Final = 500
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

Row = tuple[int, str, str, str]


def import_sqlite(
    path: str | Path,
    memory: Memory | str,
    *,
    user_id: UserId | None = None,
    messages_table: str = "agent_messages",
) -> dict[str, int]:
    """Copy the sessions of a file of `SQLiteSession`; how many items of each were read.

    The file is opened read-only. Every item's id is made of its row's number, so that an import
    that broke off, or is repeated after more was said, adds only what is new. A row that is no
    JSON is passed over, as the SDK does.

    Args:
        path: the file.
        memory: where to: a `Memory`, or a URL.
        user_id: whose sessions they become; `None` = nobody's yet.
        messages_table: as the SDK's session was told.

    Raises:
        ConfigError: there is no such file, or no such table in it, or `user_id` is none.
        NotOwner: a session of that id belongs to another user here; those before it are there.
    """
    owner = optional_user_id(user_id, "user_id")
    target, counts = shared(memory), dict[str, int]()
    for session, rows in groupby(_rows(Path(path), messages_table), key=lambda row: row[1]):
        chat = target.session(session, user=owner)
        items = [item for row in rows if (item := _item(row))]
        counts[session] = len(items)
        for start in range(0, len(items), _BATCH):
            chat.add(*items[start : start + _BATCH])
    return counts


def _rows(path: Path, table: str) -> Iterator[Row]:
    if not _NAME.fullmatch(table):
        raise ConfigError(f"messages_table must be the name of a table, got {table!r}")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        with closing(connection):
            yield from connection.execute(
                f"SELECT id, session_id, message_data, created_at FROM {table} "  # noqa: S608  # matched above
                "ORDER BY session_id, id"
            )
    except sqlite3.Error as error:
        raise ConfigError(f"{path} is no file of SQLiteSession: {error}") from error


def _item(row: Row) -> Item | None:
    number, _, data, at = row
    try:
        item = to_item(json.loads(data), number)
        said = datetime.fromisoformat(at).replace(tzinfo=UTC)
    except (ValueError, TypeError):
        return None
    return dataclasses.replace(item, id=f"agents-sqlite:{number}", created_at=said)
