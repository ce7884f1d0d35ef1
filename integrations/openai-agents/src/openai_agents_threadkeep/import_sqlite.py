"""Import conversations from the SDK's own SQLite sessions."""

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

from openai_agents_threadkeep.codec import to_item
from threadkeep import Item, Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import UserId, plain_user
from threadkeep.adapters.import_batches import add_in_batches
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

Row = tuple[int, str, str, str]


@strict_arguments
def import_sqlite(
    path: str | Path,
    memory: Memory | str | None = None,
    *,
    user: UserId | None = None,
    messages_table: str = "agent_messages",
    user_id: UserId | None = None,
) -> dict[str, int]:
    """Copy the sessions of a `SQLiteSession` file; returns the number of items read per session.

    The file is opened read-only. Item ids are derived from row numbers, so an import that was
    interrupted, or is repeated later, adds only new items. Rows that are not JSON are skipped, as
    in the SDK.

    Args:
        path: the file.
        memory: the target: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        user: the owner of the imported sessions; `None` = no owner yet.
        messages_table: the same argument as for the SDK's session.
        user_id: another name for `user`.

    Raises:
        ConfigError: the file or the table does not exist, or the user is not valid.
        NotOwner: a session with that id belongs to another user; earlier sessions are imported.
    """
    owner = plain_user(user, user_id)
    target_memory, item_counts = shared_memory(memory), dict[str, int]()
    for session_id, rows in groupby(_rows(Path(path), messages_table), key=lambda row: row[1]):
        items = (item for row in rows if (item := _item(row)))
        item_counts[session_id] = add_in_batches(target_memory, session_id, owner, items)
    return item_counts


def _rows(path: Path, table: str) -> Iterator[Row]:
    if not _NAME.fullmatch(table):
        raise ConfigError(f"messages_table must be the name of a table, got {shown(table)}")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        with closing(connection):
            yield from connection.execute(
                f"SELECT id, session_id, message_data, created_at FROM {table} "  # noqa: S608  # matched above
                "ORDER BY session_id, id"
            )
    except sqlite3.Error as error:
        raise ConfigError(f"{path} is not a file of SQLiteSession: {error}") from error


def _item(row: Row) -> Item | None:
    row_id, _, item_json, timestamp = row
    try:
        item = to_item(json.loads(item_json), row_id)
        created_at = datetime.fromisoformat(timestamp).replace(tzinfo=UTC)
    except (ValueError, TypeError):
        return None
    return dataclasses.replace(item, id=f"agents-sqlite:{row_id}", created_at=created_at)
