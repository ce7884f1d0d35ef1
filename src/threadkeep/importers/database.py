"""Databases of other libraries: recognised by their tables, only read, in bounded memory."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from threadkeep.importers.json_entries import parsed
from threadkeep.importers.values import Chat, Context, Message, Part
from threadkeep.types import Json

MAGIC: Final = b"SQLite format 3\0"

Tables = Mapping[str, Set[str]]
"""The columns of each table."""

Row = Sequence[Any]


class Database(Protocol):
    """What readers need of a database: its tables, and rows in an order."""

    def tables(self) -> Tables:
        """The tables, with the names of their columns."""
        ...

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        order_by: Sequence[str] = (),
        where: Mapping[str, object] | None = None,
    ) -> Iterator[Row]:
        """Rows of a table, a few at a time.

        Args:
            table: one of `tables()`.
            columns: of the table.
            order_by: columns.
            where: the values that columns must have.
        """
        ...


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
    read: Callable[[Database, Context], Iterator[Part]]


def connected(path: Path) -> closing[sqlite3.Connection]:
    """The file, opened for reading only."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return closing(sqlite3.connect(uri, uri=True))


class SqliteDatabase:
    """A `Database` in an SQLite file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> Tables:
        statement = "SELECT name FROM sqlite_master WHERE type = 'table'"
        name_rows = self._connection.execute(statement).fetchall()
        return {name: frozenset(self._columns(name)) for (name,) in name_rows}

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        order_by: Sequence[str] = (),
        where: Mapping[str, object] | None = None,
    ) -> Iterator[Row]:
        filters = where or {}
        conditions = " AND ".join(f"{_quoted(column_name)} = ?" for column_name in filters)
        statement = f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(table)}"  # noqa: S608
        statement += f" WHERE {conditions}" if filters else ""
        statement += f" ORDER BY {', '.join(map(_quoted, order_by))}" if order_by else ""
        yield from self._connection.execute(statement, tuple(filters.values()))

    def _columns(self, table: str) -> Iterator[Any]:
        for column_row in self._connection.execute(f"PRAGMA table_info({_quoted(table)})"):
            yield column_row[1]


def tables_with(tables: Tables, *columns: str) -> list[str]:
    """The tables that have these columns."""
    return [table for table in sorted(tables) if tables[table] >= set(columns)]


class MessageRows(NamedTuple):
    """Tables with a message in each row.

    Attributes:
        number: the column that tells rows apart.
        session: the column of the session's id.
        message: the column of the message, JSON or its text.
        date: the column of its date, if the table has it.
        order_by: the columns that order the rows of a session.
        prefix: of the ids of messages, by the table's name.
        prepared: what is imported of a message.
    """

    number: str
    session: str
    message: str
    date: str
    order_by: Sequence[str]
    prefix: Callable[[str], str]
    prepared: Callable[[Json], Json] = lambda value: value

    def is_in(self, tables: Tables) -> bool:
        """Whether there are such tables."""
        return bool(tables_with(tables, self.number, self.session, self.message, *self.order_by))

    def chats(self, database: Database, context: Context) -> Iterator[Part]:
        """The chats of all such tables."""
        tables = database.tables()
        base_columns = (self.number, self.session, self.message)
        for table in tables_with(tables, *base_columns, *self.order_by):
            columns = (*base_columns, self.date) if self.date in tables[table] else base_columns
            rows = database.rows(table, columns, (self.session, *self.order_by))
            for session_id, session_rows in groupby(rows, key=lambda row: str(row[1])):
                messages = self._messages(session_rows, table, context)
                yield Chat(session_id, f"{context.label}:{table}", messages)

    def _messages(self, rows: Iterator[Row], table: str, context: Context) -> Iterator[Message]:
        id_prefix = self.prefix(table)
        for row_id, _, raw_content, *dates in rows:
            location = f"{context.label}:{table} row {row_id}"
            try:
                message_json = decoded(raw_content)
            except ValueError:
                context.skip(location, "the message is not JSON")
                continue
            id = f"{id_prefix}:{row_id}"
            yield Message(self.prepared(message_json), location, id, dates[0] if dates else None)


def decoded(value: Any) -> Any:
    """JSON as a driver gives it, which some parse themselves.

    Raises:
        ValueError: it is a text, and no JSON.
    """
    return parsed(value) if isinstance(value, str | bytes) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
