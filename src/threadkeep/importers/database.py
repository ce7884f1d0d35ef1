"""SQLite files of other libraries: recognised by their tables, and only read."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from threadkeep.importers.values import Context, Part

MAGIC: Final = b"SQLite format 3\0"

Tables = Mapping[str, Set[str]]
"""The columns of each table."""


class TableReader(NamedTuple):
    """A format of tables: how it is recognised, and how it is read.

    Attributes:
        name: as `import:<name>` names it.
        title: for people.
        matches: whether the tables are of this format.
        read: makes chats and knowledge of them.
    """

    name: str
    title: str
    matches: Callable[[Tables], bool]
    read: Callable[[sqlite3.Connection, Context], Iterator[Part]]


def connected(path: Path) -> closing[sqlite3.Connection]:
    """The file, opened for reading only."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return closing(sqlite3.connect(uri, uri=True))


def tables(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """The tables of a database, with the names of their columns."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: frozenset(_columns(connection, name)) for (name,) in names}


def table_with(found: Tables, *columns: str) -> str | None:
    """The first table with these columns."""
    return next((name for name in sorted(found) if found[name] >= set(columns)), None)


def quoted(name: str) -> str:
    """A name of a table for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _columns(connection: sqlite3.Connection, table: str) -> Iterator[Any]:
    for row in connection.execute(f"PRAGMA table_info({quoted(table)})"):
        yield row[1]
