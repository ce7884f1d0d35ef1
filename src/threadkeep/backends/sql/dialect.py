"""The protocol that the dialects implement for the backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.faults import Classify
from threadkeep.backends.sql.schema import ColumnTypes
from threadkeep.backends.sql.statements import ReadStatementBuilder, Statements, Step, Tables
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.types import Commit, Record


class Dialect(Protocol):
    """The dialect of one database, for one set of tables.

    Attributes:
        title: the name of the database.
        driver: its SQLAlchemy scheme.
        errors: the driver's exceptions.
        columns: the types of the tables' columns.
        sql: the shared statements.
        reads: builds the statement of a read.
        max_ids: how many ids fit into one condition.
        begin: the steps that open a transaction in READ COMMITTED.
        purge: the steps that overwrite deleted rows, where the database has such a command.
        remaining_copies: where copies of deleted rows may remain, in words.
    """

    title: str
    driver: str
    errors: tuple[type[Exception], ...]
    tables: Tables
    columns: ColumnTypes
    sql: Statements
    reads: ReadStatementBuilder
    max_ids: int
    begin: Sequence[Step]
    purge: Sequence[Step]
    remaining_copies: Sequence[str]

    def label(self, target: DatabaseTarget) -> str:
        """The database and its address, for errors: without user and password."""
        ...

    def connect(self, target: DatabaseTarget, timeout: float, limit: float) -> Any:
        """Open a connection in autocommit mode; waiting for an answer is limited to `limit` s."""
        ...

    def enable_autocommit(self, connection: Any) -> bool:
        """Turn autocommit on; returns True if it was on before."""
        ...

    def restore(self, connection: Any, before: bool) -> None:
        """Restore the mode from before `enable_autocommit`."""
        ...

    def abort(self, connection: Any) -> None:
        """Cancel what the connection waits for; called from another thread."""
        ...

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        """Run the steps in order, in one round trip if possible; returns all rows.

        Nothing is sent for no steps.
        """
        ...

    def count(self, connection: Any, step: Step) -> int:
        """Run a step; returns the number of affected rows."""
        ...

    def commit_fast(self, connection: Any, change: Change) -> Commit | None:
        """Run a usual commit as one statement; returns None if nothing was written."""
        ...

    def put(self, stream: str, base_seq: int, records: Sequence[Record], now: float) -> list[Step]:
        """Steps that write records with seqs after `base_seq`; rows: (kind, id, seq) of old."""
        ...

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        """Steps of a statement with a condition on any number of ids."""
        ...

    def by_streams(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        """The step of a statement with a condition on at most a thousand streams."""
        ...

    def id_condition(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """The condition "is one of these ids", with its parameters, called after `name`."""
        ...

    def text(self, value: Any) -> str:
        """Decode a name or an id that the driver returned."""
        ...

    @property
    def classify(self) -> Classify:
        """Classifies an error of the driver."""
        ...

    def server_info(self, connection: Any) -> dict[str, str]:
        """Describe the server: `engine`, and if available `tls` and `connections`."""
        ...

    def check_connection(self, connection: Any) -> float | None:
        """Check the first connection, once, before any use.

        Returns the server's time in epoch seconds, where that is known.
        """
        ...
