"""The tables, the schema version, and the migrations to it."""

from __future__ import annotations

import sqlite3
from typing import Final

from threadkeep.backends.common.deadline import Deadline, backoff
from threadkeep.backends.common.faults import to_error
from threadkeep.backends.sqlite.driver_errors import LOCKED
from threadkeep.errors import BackendError

APPLICATION_ID: Final = 0x746B6565
"""`tkee`: in the file's header, where `file(1)` and other programs identify the format."""

# One entry per schema version: the statements that migrate to it from the version before.
# IF NOT EXISTS: a restored dump has the tables, but an empty header.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE IF NOT EXISTS threadkeep_streams (
            sid INTEGER PRIMARY KEY, stream TEXT UNIQUE NOT NULL, version INTEGER NOT NULL,
            seq INTEGER NOT NULL, expires REAL, token TEXT, token_version INTEGER)""",
        """CREATE TABLE IF NOT EXISTS threadkeep (
            sid INTEGER NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
            body TEXT NOT NULL, at REAL NOT NULL, expires REAL,
            PRIMARY KEY (sid, kind, seq)) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX IF NOT EXISTS threadkeep_id ON threadkeep (sid, kind, id)",
        """CREATE INDEX IF NOT EXISTS threadkeep_expires ON threadkeep (expires)
            WHERE expires IS NOT NULL""",
    ),
    ("ALTER TABLE threadkeep_streams ADD COLUMN ttl REAL",),
)
VERSION: Final = len(MIGRATIONS)


def prepare(
    connection: sqlite3.Connection, location: str, synchronous: str, deadline: Deadline
) -> None:
    """Prepare a new connection; creates or migrates the schema if needed.

    Raises:
        BackendError: the file belongs to another program or a newer threadkeep; it is untouched.
        sqlite3.Error: from the driver.
    """
    if not _is_current(connection, location):
        _enter_wal(connection, location, deadline)
        _migrate(connection, location)
    connection.execute(f"PRAGMA synchronous={synchronous}")


def _is_current(connection: sqlite3.Connection, location: str) -> bool:
    application_id = _pragma(connection, "application_id")
    is_foreign = application_id == 0 and _is_foreign(connection)
    if application_id not in (0, APPLICATION_ID) or is_foreign:
        raise BackendError(
            f"{location} is a database of another program, and was left as it is: "
            "name a file of its own for threadkeep"
        )
    schema_version = _pragma(connection, "user_version")
    if application_id == APPLICATION_ID and schema_version > VERSION:
        raise BackendError(
            f"{location} has schema version {schema_version}, this threadkeep knows {VERSION}: "
            "upgrade threadkeep"
        )
    return application_id == APPLICATION_ID and schema_version == VERSION


def _is_foreign(connection: sqlite3.Connection) -> bool:
    table_names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return bool(table_names) and "threadkeep_streams" not in table_names


def _enter_wal(connection: sqlite3.Connection, location: str, deadline: Deadline) -> None:
    attempt_number = 0
    while (journal_mode := _switch_to_wal(connection)) is None:
        # unlike other statements this one does not wait for a lock, e.g. while a store is created
        if not backoff(attempt_number, deadline):
            raise to_error(LOCKED, location, deadline.timeout)
        attempt_number += 1
    if journal_mode not in ("wal", "memory"):
        raise BackendError(
            f"{location} cannot use WAL: put it on a local disk, not a network drive"
        )


def _switch_to_wal(connection: sqlite3.Connection) -> str | None:
    """Switch to WAL and return the journal mode; `None` = another process locks the file."""
    try:
        journal_mode: str = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return None
    return journal_mode


def _migrate(connection: sqlite3.Connection, location: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_current(connection, location):  # another process may have migrated it first
            schema_version = _pragma(connection, "user_version")
            for statement in (
                migration_statement
                for migration in MIGRATIONS[schema_version:]
                for migration_statement in migration
            ):
                _execute(connection, statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _execute(connection: sqlite3.Connection, statement: str) -> None:
    """Run a step of a migration, unless it adds a column that a restored dump has already."""
    table, _, column_sql = statement.removeprefix("ALTER TABLE ").partition(" ADD COLUMN ")
    column_names = (
        {column_info[1] for column_info in connection.execute(f"PRAGMA table_info({table})")}
        if column_sql
        else ()
    )
    if not column_sql or column_sql.split()[0] not in column_names:
        connection.execute(statement)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    pragma_value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return pragma_value
