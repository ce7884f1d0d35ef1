"""The tables, their version, and how a file gets from none or an older one to this one."""

from __future__ import annotations

import sqlite3
from typing import Final

from threadkeep.backends.common.deadline import Deadline, pause
from threadkeep.backends.sqlite.errors import locked
from threadkeep.errors import BackendError

APPLICATION_ID: Final = 0x746B6565
"""`tkee`: in the file's header, where `file(1)` and other programs see whose it is."""

# One entry per schema version: the statements that lead to it from the one before.
# IF NOT EXISTS: a restored dump has the tables, but its header says nothing.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE IF NOT EXISTS tk_stream (
            sid INTEGER PRIMARY KEY, stream TEXT UNIQUE NOT NULL, version INTEGER NOT NULL,
            seq INTEGER NOT NULL, expires REAL, token TEXT, token_version INTEGER)""",
        """CREATE TABLE IF NOT EXISTS tk_record (
            sid INTEGER NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
            body TEXT NOT NULL, at REAL NOT NULL, expires REAL,
            PRIMARY KEY (sid, kind, seq)) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX IF NOT EXISTS tk_record_id ON tk_record (sid, kind, id)",
        """CREATE INDEX IF NOT EXISTS tk_record_expires ON tk_record (expires)
            WHERE expires IS NOT NULL""",
    ),
)
VERSION: Final = len(MIGRATIONS)


def prepare(
    connection: sqlite3.Connection, where: str, synchronous: str, deadline: Deadline
) -> None:
    """Make a new connection ready for use; creates or migrates what is not up to date.

    Raises:
        BackendError: the file is somebody else's, or of a newer threadkeep; it is not touched.
        sqlite3.Error: as the driver says.
    """
    if not _current(connection, where):
        _enter_wal(connection, where, deadline)
        _migrate(connection, where)
    connection.execute(f"PRAGMA synchronous={synchronous}")


def _current(connection: sqlite3.Connection, where: str) -> bool:
    owner = _pragma(connection, "application_id")
    if owner not in (0, APPLICATION_ID) or (owner == 0 and _foreign(connection)):
        raise BackendError(
            f"{where} is a database of another program, and was left as it is: "
            "name a file of its own for threadkeep"
        )
    version = _pragma(connection, "user_version")
    if owner == APPLICATION_ID and version > VERSION:
        raise BackendError(
            f"{where} has schema version {version}, this threadkeep knows {VERSION}: "
            "upgrade threadkeep"
        )
    return owner == APPLICATION_ID and version == VERSION


def _foreign(connection: sqlite3.Connection) -> bool:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return bool(names) and "tk_stream" not in names


def _enter_wal(connection: sqlite3.Connection, where: str, deadline: Deadline) -> None:
    attempt = 0
    while (mode := _switched(connection)) is None:
        # unlike all else this does not wait for who holds the file, as at the birth of a store
        if not pause(attempt, deadline):
            raise locked(where, deadline.timeout)
        attempt += 1
    if mode not in ("wal", "memory"):
        raise BackendError(f"{where} cannot use WAL: put it on a local disk, not a network drive")


def _switched(connection: sqlite3.Connection) -> str | None:
    """The journal's mode once it was asked to be WAL; `None` = somebody else holds the file."""
    try:
        mode: str = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return None
    return mode


def _migrate(connection: sqlite3.Connection, where: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _current(connection, where):  # somebody else may have been here first
            known = _pragma(connection, "user_version")
            for statement in (s for step in MIGRATIONS[known:] for s in step):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
