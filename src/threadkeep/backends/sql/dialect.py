"""What a database must be able to do for the backend: the protocol of the three dialects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from threadkeep.backends.common.commit import Change
from threadkeep.backends.sql.driver_errors import Fault
from threadkeep.backends.sql.schema import Columns
from threadkeep.backends.sql.statements import ReadText, Statements, Step, Tables
from threadkeep.backends.sql.url import Target
from threadkeep.types import Commit, Record


class Dialect(Protocol):
    """One database's ways, for one set of tables.

    Attributes:
        title: its name for people.
        driver: the scheme that SQLAlchemy knows it by.
        errors: the driver's errors.
        columns: the types of the tables' columns.
        sql: the statements that all dialects have.
        reads: builds the statement of a read.
        many: so many ids fit into one test.
        begin: the steps that open a transaction in READ COMMITTED.
        purge: the steps that overwrite deleted rows, where a user may ask for it.
        leaves: where copies of deleted rows may be, for people.
    """

    title: str
    driver: str
    errors: tuple[type[Exception], ...]
    tables: Tables
    columns: Columns
    sql: Statements
    reads: ReadText
    many: int
    begin: Sequence[Step]
    purge: Sequence[Step]
    leaves: Sequence[str]

    def connect(self, target: Target, timeout: float, limit: float) -> Any:
        """A new connection that commits each statement by itself; no answer may take `limit`."""
        ...

    def adopt(self, connection: Any) -> bool:
        """Make a connection commit each statement by itself; did it so before?"""
        ...

    def restore(self, connection: Any, before: bool) -> None:
        """Leave it as it was before `adopt`."""
        ...

    def abort(self, connection: Any) -> None:
        """From another thread: end what the connection waits for."""
        ...

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        """Run the steps in order, in one round trip where it can be; all rows they return.

        No steps send nothing.
        """
        ...

    def count(self, connection: Any, step: Step) -> int:
        """Run a step; how many rows it touched."""
        ...

    def fast(self, connection: Any, change: Change) -> Commit | None:
        """The whole commit at once, if this is a usual one; `None` = not done, nothing written."""
        ...

    def put(self, stream: str, base: int, records: Sequence[Record], now: float) -> list[Step]:
        """Write records; the n-th new one gets `base + n`. Their rows: (kind, id, seq) of known."""
        ...

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        """A statement with a test of ids, for any number of them."""
        ...

    def by_names(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        """The same with a test of streams, at most a thousand."""
        ...

    def id_test(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """The test "is one of these ids" by a parameter of that name, and the parameters."""
        ...

    def text(self, value: Any) -> str:
        """A name or an id, as the driver returned it."""
        ...

    def fault(self, error: Exception) -> Fault:
        """What an error of the driver means."""
        ...

    def about(self, connection: Any) -> dict[str, str]:
        """What the server says of itself: `engine`, and where it tells `tls` and `connections`."""
        ...

    def inspected(self, connection: Any) -> None:
        """Look at a first connection, once, before any use."""
        ...
