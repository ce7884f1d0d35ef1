"""The analytics views, in SQLite's dialect."""

from __future__ import annotations

import sqlite3
from typing import Final

from threadkeep.backends.common import sql_views
from threadkeep.backends.common.sql_views import JsonPath, json_path, quote_literal
from threadkeep.backends.sqlite import statements as sql

_TABLES: Final = sql_views.ViewTables("threadkeep", "threadkeep_streams", "sid")
_VIEW_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?"


def statements() -> dict[str, str]:
    """Map each view's name to its CREATE statement."""
    selects = sql_views.selects(_DIALECT, _TABLES)
    return {
        f"threadkeep_{view_name}": f"CREATE VIEW threadkeep_{view_name} AS {select_sql}"
        for view_name, select_sql in selects.items()
    }


def make(connection: sqlite3.Connection) -> list[str]:
    """Create or replace the views, all in one transaction; return their names."""
    sql_by_view = statements()
    connection.execute(sql.BEGIN_WRITE)
    for view_name, create_sql in sql_by_view.items():
        connection.execute(f"DROP VIEW IF EXISTS {view_name}")
        connection.execute(create_sql)
    connection.execute(sql.COMMIT)
    return list(sql_by_view)


def drop(connection: sqlite3.Connection) -> list[str]:
    """Drop the existing views; return their names."""
    connection.execute(sql.BEGIN_WRITE)
    existing_names = [
        view_name
        for view_name in statements()
        if connection.execute(_VIEW_EXISTS, (view_name,)).fetchone()
    ]
    for view_name in existing_names:
        connection.execute(f"DROP VIEW {view_name}")
    connection.execute(sql.COMMIT)
    return existing_names


def _text(doc: str, path: JsonPath) -> str:
    return f"json_extract({doc}, '{json_path(path)}')"


def _number(doc: str, path: JsonPath) -> str:
    json_type = f"json_type({doc}, '{json_path(path)}')"
    return f"CASE WHEN {json_type} IN ('integer', 'real') THEN {_text(doc, path)} END"


_DIALECT: Final = sql_views.ViewExpressions(
    quote_text=quote_literal,
    position=lambda text, part: f"instr({text}, {part})",
    json=lambda body: f"CASE WHEN json_valid({body}) THEN {body} END",
    text=_text,
    long_text=_text,
    number=_number,
    timestamp=lambda at: f"strftime('%Y-%m-%d %H:%M:%f', {at}, 'unixepoch')",
    day=lambda at: f"date({at}, 'unixepoch')",
    now="((julianday('now') - 2440587.5) * 86400.0)",
    name_text=lambda name: name,
    namespace=lambda stream: f"substr({stream}, 1, instr({stream}, '/') - 1)",
)
