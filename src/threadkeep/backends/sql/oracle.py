"""Oracle by python-oracledb in thin mode: three round trips a commit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import oracledb
from sqlalchemy import Connection, text
from sqlalchemy.dialects.oracle import BINARY_DOUBLE, CLOB, VARCHAR2
from sqlalchemy.exc import DatabaseError

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sql import commit_plan
from threadkeep.backends.sql.driver_errors import Fault
from threadkeep.backends.sql.names import Names
from threadkeep.backends.sql.oracle_connect import checked, open_session
from threadkeep.backends.sql.oracle_errors import fault
from threadkeep.backends.sql.oracle_statements import WORDS, put_text, some_of
from threadkeep.backends.sql.schema import Columns
from threadkeep.backends.sql.statements import ReadText, Step, build, tables
from threadkeep.backends.sql.url import Target
from threadkeep.types import Commit, Record

_MOST_BINDS: Final = 1000  # ORA-01795
_SIZES: Final = {
    "body": oracledb.DB_TYPE_CLOB,  # else a long body after a short one does not fit
    "at": oracledb.DB_TYPE_BINARY_DOUBLE,
    "expires": oracledb.DB_TYPE_BINARY_DOUBLE,
    "now": oracledb.DB_TYPE_BINARY_DOUBLE,
}


def _upper(name: str) -> str:
    """As Oracle spells a name that was not quoted."""
    return name.upper() if name.islower() else name


def _lock(connection: Connection, names: Names, deadline: Deadline) -> None:
    """DDL ends transactions and so every lock: who comes second finds what is there already."""
    with contextlib.suppress(DatabaseError):  # before 23ai; a migration may wait for others
        connection.execute(text(f"ALTER SESSION SET ddl_lock_timeout = {int(deadline.left())}"))


COLUMNS: Final = Columns(
    name=VARCHAR2(512),
    kind=VARCHAR2(32),
    body=CLOB(),
    time=BINARY_DOUBLE(),
    case=_upper,
    options={},
    stream_options={},
    expires_options={},
    lock=_lock,
)


class Oracle:
    """See `Dialect`."""

    title = "Oracle"
    driver = "oracle+oracledb"
    # A host that is not known is an OSError, which the driver lets through.
    errors: tuple[type[Exception], ...] = (oracledb.Error, OSError)
    columns = COLUMNS
    many = _MOST_BINDS
    begin: Sequence[Step] = ()
    purge: Sequence[Step] = ()  # blocks are overwritten as others need them
    leaves: Sequence[str] = (
        "the server's blocks, undo, redo and archived logs, and flashback",
        "its standbys and backups",
    )

    def __init__(self, target: Target, names: Names) -> None:
        self._how = checked(target)
        self.tables = tables(names, WORDS.quote)
        self.sql = build(self.tables, WORDS)
        self.reads = ReadText(self.tables, WORDS)
        self._put = put_text(self.tables)

    def connect(self, target: Target, timeout: float, limit: float) -> Any:
        return open_session(self._how, target, timeout, limit)

    def inspected(self, connection: Any) -> None:
        pass

    def about(self, connection: Any) -> dict[str, str]:
        return {"engine": f"Oracle {getattr(connection, 'version', '')}".strip()}

    def adopt(self, connection: Any) -> bool:
        before: bool = connection.autocommit
        connection.autocommit = False
        return before

    def restore(self, connection: Any, before: bool) -> None:
        connection.autocommit = before

    def abort(self, connection: Any) -> None:
        with contextlib.suppress(oracledb.Error, OSError):
            connection.cancel()

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        rows: list[Any] = []
        with connection.cursor() as cursor:
            cursor.outputtypehandler = _no_lobs
            for statement, values in steps:
                if statement == "COMMIT":
                    connection.commit()
                    continue
                _execute(cursor, statement, values)
                if cursor.description:
                    rows += cursor.fetchall()
        return rows

    def count(self, connection: Any, step: Step) -> int:
        with connection.cursor() as cursor:
            _execute(cursor, *step)
            return int(cursor.rowcount)

    def fast(self, connection: Any, change: Change) -> Commit | None:
        return None

    def put(self, stream: str, base: int, records: Sequence[Record], now: float) -> list[Step]:
        rows = [
            {
                "stream": stream,
                "kind": record.kind,
                "id": record.id,
                "seq": seq,
                "body": record.body,
                "at": record.at,
                "expires": record.expires,
                "now": now,
            }
            for seq, record in enumerate(records, base + 1)
        ]
        return [(self._put, rows), *commit_plan.places(self, stream, records, base)]

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        parts = (ids[start : start + self.many] for start in range(0, len(ids), self.many))
        return [some_of(text, "ids", parameters, part) for part in parts]

    def by_names(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        return some_of(text, "names", parameters, names)

    def id_test(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return some_of(f"IN (:{name})", name, {}, ids)

    def text(self, value: Any) -> str:
        return value  # type: ignore[no-any-return]  # VARCHAR2 is str, and none here is empty

    def fault(self, error: Exception) -> Fault:
        return fault(error)


def _execute(cursor: Any, statement: str, values: Any) -> None:
    many = isinstance(values, list)
    sizes = {name: size for name, size in _SIZES.items() if name in (values[0] if many else values)}
    if sizes:
        cursor.setinputsizes(**sizes)
    if many:
        cursor.executemany(statement, values)
    else:
        cursor.execute(statement, values)


def _no_lobs(cursor: Any, column: Any) -> Any:
    """Long text with its row: as a LOB each would cost a round trip of its own."""
    if column.type_code is oracledb.DB_TYPE_CLOB:
        return cursor.var(oracledb.DB_TYPE_LONG, arraysize=cursor.arraysize)
    return None
