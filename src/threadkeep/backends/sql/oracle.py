"""Oracle by python-oracledb: three round trips a commit."""

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
from threadkeep.backends.sql.names import TableNames
from threadkeep.backends.sql.oracle_connect import open_session, parse_connect_options
from threadkeep.backends.sql.oracle_errors import classify
from threadkeep.backends.sql.oracle_statements import SYNTAX, expand_list, merge_statement
from threadkeep.backends.sql.schema import ColumnTypes
from threadkeep.backends.sql.statements import (
    ReadStatementBuilder,
    Step,
    build_statements,
    quote_tables,
)
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.types import Commit, Record

_MAX_BINDS: Final = 1000  # ORA-01795
_SIZES: Final = {
    "body": oracledb.DB_TYPE_CLOB,  # otherwise a long body after a short one does not fit
    "at": oracledb.DB_TYPE_BINARY_DOUBLE,
    "expires": oracledb.DB_TYPE_BINARY_DOUBLE,
    "ttl": oracledb.DB_TYPE_BINARY_DOUBLE,
    "now": oracledb.DB_TYPE_BINARY_DOUBLE,
}


def _upper(name: str) -> str:
    """Upper case, as Oracle stores an unquoted name."""
    return name.upper() if name.islower() else name


def _lock(connection: Connection, names: TableNames, deadline: Deadline) -> None:
    """DDL ends transactions and so every lock: the second of two migrations finds the tables."""
    with contextlib.suppress(DatabaseError):  # before 23ai; a migration may wait for others
        connection.execute(
            text(f"ALTER SESSION SET ddl_lock_timeout = {int(deadline.remaining())}")
        )


COLUMNS: Final = ColumnTypes(
    name=VARCHAR2(512),
    kind=VARCHAR2(32),
    body=CLOB(),
    time=BINARY_DOUBLE(),
    fold_case=_upper,
    options={},
    expires_options={},
    lock=_lock,
)


class Oracle:
    """See `Dialect`."""

    title = "Oracle"
    driver = "oracle+oracledb"
    # The driver lets the OSError of an unknown host through.
    errors: tuple[type[Exception], ...] = (oracledb.Error, OSError)
    columns = COLUMNS
    classify = staticmethod(classify)
    max_ids = _MAX_BINDS
    begin: Sequence[Step] = ()
    purge: Sequence[Step] = ()  # blocks are overwritten on reuse
    remaining_copies: Sequence[str] = (
        "the server's blocks, undo, redo and archived logs, and flashback",
        "its standbys and backups",
    )

    def __init__(self, target: DatabaseTarget, names: TableNames) -> None:
        self._connect_options = parse_connect_options(target)
        self.tables = quote_tables(names, SYNTAX.quote)
        self.sql = build_statements(self.tables, SYNTAX)
        self.reads = ReadStatementBuilder(self.tables, SYNTAX)
        self._put = merge_statement(self.tables)

    def label(self, target: DatabaseTarget) -> str:
        del target
        return self._connect_options.place

    def connect(self, target: DatabaseTarget, timeout: float, limit: float) -> Any:
        return open_session(self._connect_options, target, timeout, limit)

    def check_connection(self, connection: Any) -> float | None:
        return None

    def server_info(self, connection: Any) -> dict[str, str]:
        return {"engine": f"Oracle {getattr(connection, 'version', '')}".strip()}

    def enable_autocommit(self, connection: Any) -> bool:
        was_autocommit: bool = connection.autocommit
        connection.autocommit = False
        return was_autocommit

    def restore(self, connection: Any, before: bool) -> None:
        connection.autocommit = before

    def abort(self, connection: Any) -> None:
        with contextlib.suppress(oracledb.Error, OSError):
            connection.cancel()

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        result_rows: list[Any] = []
        with connection.cursor() as cursor:
            cursor.outputtypehandler = _fetch_clob_inline
            for statement, bind_values in steps:
                if statement == "COMMIT":
                    connection.commit()
                    continue
                _execute(cursor, statement, bind_values)
                if cursor.description:
                    result_rows += cursor.fetchall()
        return result_rows

    def count(self, connection: Any, step: Step) -> int:
        with connection.cursor() as cursor:
            _execute(cursor, *step)
            return int(cursor.rowcount)

    def commit_fast(self, connection: Any, change: Change) -> Commit | None:
        return None

    def put(self, stream: str, base_seq: int, records: Sequence[Record], now: float) -> list[Step]:
        record_rows = [
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
            for seq, record in enumerate(records, base_seq + 1)
        ]
        return [(self._put, record_rows), *commit_plan.places(self, stream, records, base_seq)]

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        id_chunks = (
            ids[chunk_start : chunk_start + self.max_ids]
            for chunk_start in range(0, len(ids), self.max_ids)
        )
        return [expand_list(text, "ids", parameters, id_chunk) for id_chunk in id_chunks]

    def by_streams(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        return expand_list(text, "names", parameters, names)

    def id_condition(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return expand_list(f"IN (:{name})", name, {}, ids)

    def text(self, value: Any) -> str:
        return value  # type: ignore[no-any-return]  # VARCHAR2 is str, and none here is empty


def _execute(cursor: Any, statement: str, values: Any) -> None:
    is_batch = isinstance(values, list)
    size_by_column = {
        column_name: input_size
        for column_name, input_size in _SIZES.items()
        if column_name in (values[0] if is_batch else values)
    }
    if size_by_column:
        cursor.setinputsizes(**size_by_column)
    if is_batch:
        cursor.executemany(statement, values)
    else:
        cursor.execute(statement, values)


def _fetch_clob_inline(cursor: Any, column: Any) -> Any:
    """Fetch long text with its row: each LOB would cost a round trip of its own."""
    if column.type_code is oracledb.DB_TYPE_CLOB:
        return cursor.var(oracledb.DB_TYPE_LONG, arraysize=cursor.arraysize)
    return None
