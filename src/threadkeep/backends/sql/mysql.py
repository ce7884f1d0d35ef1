"""MySQL 8 and MariaDB by PyMySQL: several statements in one packet, two round trips a commit."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor
from sqlalchemy import Connection, text
from sqlalchemy.dialects.mysql import DOUBLE, LONGTEXT, VARBINARY

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sql import commit_plan
from threadkeep.backends.sql.mysql_connect import (
    InterruptibleConnection,
    check_parameters,
    open_connection,
)
from threadkeep.backends.sql.mysql_errors import classify
from threadkeep.backends.sql.names import TableNames
from threadkeep.backends.sql.schema import ColumnTypes
from threadkeep.backends.sql.statements import (
    DialectSyntax,
    ReadStatementBuilder,
    Step,
    build_statements,
    pyformat,
    quote_tables,
)
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.errors import BackendError
from threadkeep.types import Commit, Record

SYNTAX: Final = DialectSyntax(
    quote=lambda name: f"`{name}`", rewrite=pyformat, ids="IN :ids", names="IN :names"
)
# 51 of the 64 characters a name may have; SHA1() left the server in MySQL 9.6
_LOCK: Final = "CONCAT('threadkeep ', LEFT(SHA2(CONCAT(DATABASE(), '.', :name), 256), 40))"
_ROW: Final = "(%s, %s, %s, %s, %s, %s, %s)"
# The order matters: an assignment sees the results of those before it.
_PUT: Final = (
    "INSERT INTO {0} (stream, kind, seq, id, body, at, expires) VALUES {1} "
    "ON DUPLICATE KEY UPDATE seq = IF(expires <= %s, VALUES(seq), seq), "
    "body = VALUES(body), at = VALUES(at), expires = VALUES(expires)"
)
_SESSION: Final = (
    "SELECT VERSION(), @@character_set_client, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
)
_SERVER_INFO: Final[Sequence[Step]] = (
    ("SHOW VARIABLES WHERE Variable_name IN ('version', 'max_connections', 'read_only')", ()),
    ("SHOW STATUS WHERE Variable_name IN ('Ssl_version', 'Threads_connected')", ()),
)


def _lock(connection: Connection, names: TableNames, deadline: Deadline) -> None:
    lock_parameters = {"name": str(names), "seconds": int(deadline.remaining())}
    is_acquired = connection.execute(
        text(f"SELECT GET_LOCK({_LOCK}, :seconds)"), lock_parameters
    ).scalar()
    if is_acquired != 1:
        raise BackendError(f"the tables {names} are being migrated by another process: try again")


def _unlock(connection: Connection, names: TableNames) -> None:
    connection.execute(text(f"SELECT RELEASE_LOCK({_LOCK})"), {"name": str(names)})


COLUMNS: Final = ColumnTypes(
    name=VARBINARY(512),  # as text, `a` and `a ` would be equal
    kind=VARBINARY(32),
    body=LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"),
    time=DOUBLE(),
    fold_case=str,
    options={"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"},
    expires_options={},
    lock=_lock,
    unlock=_unlock,
)


class MySQL:
    """See `Dialect`."""

    title = "MySQL"
    driver = "mysql+pymysql"
    errors: tuple[type[Exception], ...] = (pymysql.Error,)
    columns = COLUMNS
    classify = staticmethod(classify)
    max_ids = 1000  # with very many ids the server does not use the index
    begin: Sequence[Step] = (("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ()), ("BEGIN", ()))
    purge: Sequence[Step] = ()  # the server purges by itself
    remaining_copies: Sequence[str] = (
        "the server's pages, undo and binary logs, until it purges them",
        "its replicas and backups",
    )

    def __init__(self, target: DatabaseTarget, names: TableNames) -> None:
        check_parameters(target.parameters)
        self.tables = quote_tables(names, SYNTAX.quote)
        self.sql = build_statements(self.tables, SYNTAX)
        self.reads = ReadStatementBuilder(self.tables, SYNTAX)
        self._put = lru_cache(64)(self._put_text)

    def label(self, target: DatabaseTarget) -> str:
        return target.label()

    def connect(self, target: DatabaseTarget, timeout: float, limit: float) -> Any:
        return open_connection(target, timeout, limit)

    def check_connection(self, connection: Any) -> float | None:
        server_version, charset, server_microseconds = self.run(connection, [(_SESSION, ())])[0]
        version_numbers = tuple(map(int, re.findall(r"\d+", server_version)[:2]))
        min_version_numbers = (10, 6) if "MariaDB" in server_version else (8, 0)
        if version_numbers < min_version_numbers:
            raise BackendError(
                f"MySQL 8.0 or MariaDB 10.6 or newer is needed; this is {server_version}"
            )
        if charset != "utf8mb4":
            raise BackendError(f"the connection must use utf8mb4, not {charset}: ?charset=utf8mb4")
        return float(server_microseconds) / 1e6

    def server_info(self, connection: Any) -> dict[str, str]:
        server_variables = dict(self.run(connection, _SERVER_INFO))
        server_version, _, server_flavor = str(server_variables["version"]).partition("-")
        description = {
            "engine": f"{'MariaDB' if 'MariaDB' in server_flavor else 'MySQL'} {server_version}",
            "tls": server_variables.get("Ssl_version") or "no",
            "connections": f"{server_variables['Threads_connected']} of "
            f"{server_variables['max_connections']}",
        }
        if server_variables.get("read_only") == "ON":
            description["role"] = "a read-only replica: connect to the primary"
        return description

    def enable_autocommit(self, connection: Any) -> bool:
        was_autocommit: bool = connection.get_autocommit()
        connection.autocommit(True)
        return was_autocommit

    def restore(self, connection: Any, before: bool) -> None:
        connection.autocommit(before)

    def abort(self, connection: Any) -> None:
        """Lock waits come before the packet that commits, so an aborted call writes nothing."""
        if isinstance(connection, InterruptibleConnection):
            connection.interrupt()

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        result_rows: list[Any] = []
        with contextlib.closing(connection.cursor(Cursor)) as cursor:
            for packet in _packets(connection, cursor, steps):
                cursor.execute(packet)
                result_rows += cursor.fetchall() if cursor.description else ()
                while cursor.nextset():
                    result_rows += cursor.fetchall() if cursor.description else ()
        return result_rows

    def count(self, connection: Any, step: Step) -> int:
        with contextlib.closing(connection.cursor(Cursor)) as cursor:
            return int(cursor.execute(*step))

    def commit_fast(self, connection: Any, change: Change) -> Commit | None:
        return None

    def put(self, stream: str, base_seq: int, records: Sequence[Record], now: float) -> list[Step]:
        row_values: list[Any] = []
        for record_seq, record in enumerate(records, base_seq + 1):
            row_values += (
                stream,
                record.kind,
                record_seq,
                record.id,
                record.body,
                record.at,
                record.expires,
            )
        put_step = (self._put(len(records)), (*row_values, now))
        return [put_step, *commit_plan.places(self, stream, records, base_seq)]

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        id_chunks = (
            ids[chunk_start : chunk_start + self.max_ids]
            for chunk_start in range(0, len(ids), self.max_ids)
        )
        return [(text, {**parameters, "ids": tuple(id_chunk)}) for id_chunk in id_chunks]

    def by_streams(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        return text, {**parameters, "names": tuple(names)}

    def id_condition(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return f"IN :{name}", {name: tuple(ids)}

    def text(self, value: Any) -> str:
        return value.decode()  # type: ignore[no-any-return]

    def _put_text(self, row_count: int) -> str:
        return _PUT.format(self.tables.records, ", ".join([_ROW] * row_count))


def _packets(connection: Any, cursor: Any, steps: Sequence[Step]) -> list[str]:
    """All statements as one packet, where the connection allows it; no packet for no steps."""
    statement_texts = [cursor.mogrify(statement, values or None) for statement, values in steps]
    is_batched = statement_texts and connection.client_flag & CLIENT.MULTI_STATEMENTS
    return ["; ".join(statement_texts)] if is_batched else statement_texts
