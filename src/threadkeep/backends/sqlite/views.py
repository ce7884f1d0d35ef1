"""The views for analytics, in the words of SQLite."""

from __future__ import annotations

import sqlite3
from typing import Final

from threadkeep.backends.common import sql_views
from threadkeep.backends.common.sql_views import Path, dollars, plainly
from threadkeep.backends.sqlite import statements as sql

_TABLES: Final = sql_views.Tables("tk_record", "tk_stream", "sid")
_THERE: Final = "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?"


def statements() -> dict[str, str]:
    """What makes each view, by its name."""
    selects = sql_views.selects(_DIALECT, _TABLES)
    return {f"tk_{name}": f"CREATE VIEW tk_{name} AS {text}" for name, text in selects.items()}


def make(connection: sqlite3.Connection) -> list[str]:
    """Make the views, or make them anew: all of them or none."""
    wanted = statements()
    connection.execute(sql.BEGIN_WRITE)
    for name, text in wanted.items():
        connection.execute(f"DROP VIEW IF EXISTS {name}")
        connection.execute(text)
    connection.execute(sql.COMMIT)
    return list(wanted)


def drop(connection: sqlite3.Connection) -> list[str]:
    """Drop the views that are there."""
    connection.execute(sql.BEGIN_WRITE)
    there = [name for name in statements() if connection.execute(_THERE, (name,)).fetchone()]
    for name in there:
        connection.execute(f"DROP VIEW {name}")
    connection.execute(sql.COMMIT)
    return there


def _text(doc: str, path: Path) -> str:
    return f"json_extract({doc}, '{dollars(path)}')"


def _number(doc: str, path: Path) -> str:
    kind = f"json_type({doc}, '{dollars(path)}')"
    return f"CASE WHEN {kind} IN ('integer', 'real') THEN {_text(doc, path)} END"


_DIALECT: Final = sql_views.Dialect(
    quoted=plainly,
    find=lambda text, part: f"instr({text}, {part})",
    json=lambda body: f"CASE WHEN json_valid({body}) THEN {body} END",
    text=_text,
    long=_text,
    number=_number,
    moment=lambda at: f"strftime('%Y-%m-%d %H:%M:%f', {at}, 'unixepoch')",
    day=lambda at: f"date({at}, 'unixepoch')",
    now="((julianday('now') - 2440587.5) * 86400.0)",
    named=lambda name: name,
    beginning=lambda stream: f"substr({stream}, 1, instr({stream}, '/') - 1)",
)
