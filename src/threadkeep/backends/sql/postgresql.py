"""PostgreSQL by psycopg 3: a commit in one statement, the rest in pipelines."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy import Connection, Double, Text, text

from threadkeep.backends.common.commit import Change, first_version, lifetime_after
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sql import commit_plan
from threadkeep.backends.sql.names import TableNames
from threadkeep.backends.sql.postgresql_arrays import TextArray, TimeArray, register_array_dumpers
from threadkeep.backends.sql.postgresql_errors import classify
from threadkeep.backends.sql.postgresql_statements import SERVER_INFO, SYNTAX, CommitStatements
from threadkeep.backends.sql.postgresql_url import KEYWORDS, PREPARE_THRESHOLD
from threadkeep.backends.sql.schema import ColumnTypes
from threadkeep.backends.sql.statements import (
    ReadStatementBuilder,
    Step,
    build_statements,
    quote_tables,
)
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.errors import BackendError, ConfigError, did_you_mean
from threadkeep.printable import shown
from threadkeep.types import Commit, Keep, Record
from threadkeep.types.versions import allowed_advance

_PREPARE_AFTER: Final = 2
_SESSION: Final = "SELECT pg_backend_pid(), extract(epoch FROM clock_timestamp())::float8"


def _lock(connection: Connection, names: TableNames, deadline: Deadline) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {max(1, int(deadline.remaining() * 1000))}"))
    lock_parameters = {"name": f"threadkeep {names}"}
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), lock_parameters
    )


COLUMNS: Final = ColumnTypes(
    name=Text(collation="C"),
    kind=Text(collation="C"),
    body=Text(),
    time=Double(),
    fold_case=str,
    options={},
    after_streams="ALTER TABLE %(fullname)s SET (fillfactor = 50)",  # rows are updated in place
    expires_options={"postgresql_where": "expires IS NOT NULL"},
    lock=_lock,
)


class PostgreSQL:
    """See `Dialect`."""

    title = "PostgreSQL"
    driver = "postgresql+psycopg"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    columns = COLUMNS
    classify = staticmethod(classify)
    max_ids = 2**31
    remaining_copies: Sequence[str] = ("the server's write-ahead log, its replicas and backups",)
    begin: Sequence[Step] = (("BEGIN ISOLATION LEVEL READ COMMITTED", {}),)

    def __init__(self, target: DatabaseTarget, names: TableNames) -> None:
        _check_parameters(target.parameters)
        self.tables = quote_tables(names, SYNTAX.quote)
        self.sql = build_statements(self.tables, SYNTAX)
        self.reads = ReadStatementBuilder(self.tables, SYNTAX)
        self.purge: Sequence[Step] = [(f"VACUUM {self.tables.records}, {self.tables.streams}", {})]
        self._commits = CommitStatements(self.tables)
        self._prepare_after: int | None = None
        self._threshold_configured = PREPARE_THRESHOLD in target.parameters

    def label(self, target: DatabaseTarget) -> str:
        return target.label()

    def connect(self, target: DatabaseTarget, timeout: float, limit: float) -> Any:
        parameters = dict(target.parameters)
        prepare_threshold = parameters.pop(PREPARE_THRESHOLD, self._prepare_after)
        connection = psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.resolve_password(),
            dbname=target.database,
            connect_timeout=int(timeout) + 2,  # for each address of a host; ours ends first
            autocommit=True,
            prepare_threshold=None if prepare_threshold is None else int(prepare_threshold),
            **{"fallback_application_name": "threadkeep", "client_encoding": "UTF8", **parameters},
        )
        register_array_dumpers(connection)
        return connection

    def check_connection(self, connection: Any) -> float | None:
        """Prepare statements only on a direct connection to the server.

        A pooler may run each statement in another session, without the prepared statements; it
        is recognised by the process number in its greeting, which is not that of the session.
        """
        if connection.info.encoding != "utf-8":
            raise BackendError(
                f"the connection must use UTF8, not {connection.info.encoding}: "
                "pass the Engine client_encoding"
            )
        (session_row,) = self.run(connection, [(_SESSION, {})])
        if session_row[0] == connection.info.backend_pid:
            self._prepare_after = _PREPARE_AFTER
            if not self._threshold_configured:
                connection.prepare_threshold = _PREPARE_AFTER
        return float(session_row[1])

    def server_info(self, connection: Any) -> dict[str, str]:
        return dict(self.run(connection, [(SERVER_INFO, {})]))

    def enable_autocommit(self, connection: Any) -> bool:
        register_array_dumpers(connection)
        was_autocommit: bool = connection.autocommit
        connection.autocommit = True
        return was_autocommit

    def restore(self, connection: Any, before: bool) -> None:
        connection.autocommit = before

    def abort(self, connection: Any) -> None:
        """Cancel at the server first: a statement that waits for a lock would still be executed."""
        with contextlib.suppress(psycopg.Error, OSError):
            connection.cancel_safe(timeout=1.0)
            return
        with (
            contextlib.suppress(psycopg.Error, OSError),
            # a duplicate: psycopg's own descriptor must stay open until psycopg closes it, since
            # its number may be reused
            socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as sock,
        ):
            sock.shutdown(socket.SHUT_RDWR)

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        if not steps:
            return []  # a pipeline of nothing would still cost a round trip
        if len(steps) == 1:
            return _rows(_execute(connection, steps[0]))
        with connection.pipeline():
            cursors = [_execute(connection, step) for step in steps]
        return [result_row for cursor in cursors for result_row in _rows(cursor)]

    def count(self, connection: Any, step: Step) -> int:
        return int(_execute(connection, step).rowcount)

    def commit_fast(self, connection: Any, change: Change) -> Commit | None:
        expected_version = change.expect
        if change.drop or not change.put or (expected_version is None and change.token is not None):
            return None
        lifetime = lifetime_after(change.ttl, change.now, None)
        parameters = {
            **_column_arrays(change.put),
            "stream": change.stream,
            "n": len(change.put),
            "birth": first_version(),
            "keep": isinstance(change.ttl, Keep),
            "expires": lifetime.expires,
            "ttl": lifetime.ttl,
            "expect": expected_version,
            "last": None
            if expected_version is None
            else expected_version + allowed_advance(expected_version),
            "token": change.token,
            "now": change.now,
        }
        result_rows = self.run(
            connection, [(self._commits.for_expected(expected_version), parameters)]
        )
        if not result_rows:
            return None
        new_version, base_seq = result_rows[0][:2]
        plan = commit_plan.Plan([], new_version, commit_plan.numbered(change.put, base_seq))
        existing_rows = (result_row[2:] for result_row in result_rows if result_row[2] is not None)
        return commit_plan.answer(plan, existing_rows, self, change)

    def put(self, stream: str, base_seq: int, records: Sequence[Record], now: float) -> list[Step]:
        parameters = {**_column_arrays(records), "stream": stream, "base": base_seq, "now": now}
        return [(self._commits.put, parameters)]

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        return [(text, {**parameters, "ids": TextArray(ids)})]

    def by_streams(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        return text, {**parameters, "names": TextArray(names)}

    def id_condition(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return f"= ANY(:{name}::text[])", {name: TextArray(ids)}

    def text(self, value: Any) -> str:
        return value  # type: ignore[no-any-return]  # text columns are str


def _execute(connection: Any, step: Step) -> Any:
    return connection.cursor(row_factory=tuple_row).execute(*step)


def _rows(cursor: Any) -> list[Any]:
    result_rows: list[Any] = cursor.fetchall() if cursor.rownumber is not None else []
    return result_rows


def _column_arrays(records: Sequence[Record]) -> dict[str, TextArray | TimeArray]:
    return {
        "kinds": TextArray([record.kind for record in records]),
        "ids": TextArray([record.id for record in records]),
        "bodies": TextArray([record.body for record in records]),
        "ats": TimeArray([record.at for record in records]),
        "ends": TimeArray([record.expires for record in records]),
    }


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    supported_names = KEYWORDS | {PREPARE_THRESHOLD}
    for name, parameter_value in parameters.items():
        if name not in supported_names:
            raise ConfigError(
                f"PostgreSQL has no parameter {shown(name)}{did_you_mean(name, supported_names)}"
            )
        if "\0" in str(parameter_value):
            raise ConfigError(f"{name} must not contain NUL")
    prepare_threshold = str(parameters.get(PREPARE_THRESHOLD, 0))
    if not (prepare_threshold.isascii() and prepare_threshold.isdigit()):
        raise ConfigError(f"{PREPARE_THRESHOLD} must be a whole number of at least 0")
