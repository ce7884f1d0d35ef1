"""PostgreSQL by psycopg 3: a commit in one statement, the rest in pipelines."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy import Connection, Double, Text, text

from threadkeep.backends.common.commit import Change, expiry, first_version
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sql import commit_plan
from threadkeep.backends.sql.driver_errors import Fault
from threadkeep.backends.sql.names import Names
from threadkeep.backends.sql.postgresql_arrays import Texts, Times, teach
from threadkeep.backends.sql.postgresql_errors import fault
from threadkeep.backends.sql.postgresql_statements import ABOUT, WORDS, Commits
from threadkeep.backends.sql.postgresql_url import KEYWORDS, PREPARE
from threadkeep.backends.sql.schema import Columns
from threadkeep.backends.sql.statements import ReadText, Step, build, tables
from threadkeep.backends.sql.url import Target
from threadkeep.errors import BackendError, ConfigError, did_you_mean
from threadkeep.types import Commit, Keep, Record
from threadkeep.types.versions import reach

_PREPARE_AFTER: Final = 2


def _lock(connection: Connection, names: Names, deadline: Deadline) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {max(1, int(deadline.left() * 1000))}"))
    wanted = {"name": f"threadkeep {names}"}
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), wanted)


COLUMNS: Final = Columns(
    name=Text(collation="C"),
    kind=Text(collation="C"),
    body=Text(),
    time=Double(),
    case=str,
    options={},
    stream_options={"postgresql_with": {"fillfactor": 50}},  # its rows are updated in place
    expires_options={"postgresql_where": "expires IS NOT NULL"},
    lock=_lock,
)


class PostgreSQL:
    """See `Dialect`."""

    title = "PostgreSQL"
    driver = "postgresql+psycopg"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    columns = COLUMNS
    many = 2**31
    leaves: Sequence[str] = ("the server's write-ahead log, its replicas and backups",)
    begin: Sequence[Step] = (("BEGIN ISOLATION LEVEL READ COMMITTED", {}),)

    def __init__(self, target: Target, names: Names) -> None:
        _check(target.parameters)
        self.tables = tables(names, WORDS.quote)
        self.sql = build(self.tables, WORDS)
        self.reads = ReadText(self.tables, WORDS)
        self.purge: Sequence[Step] = [(f"VACUUM {self.tables.records}, {self.tables.streams}", {})]
        self._commits = Commits(self.tables)
        self._prepare_after: int | None = None
        self._told = PREPARE in target.parameters

    def connect(self, target: Target, timeout: float, limit: float) -> Any:
        said = dict(target.parameters)
        threshold = said.pop(PREPARE, self._prepare_after)
        made = psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.secret(),
            dbname=target.database,
            connect_timeout=int(timeout) + 2,  # for each address of a host; we keep ours
            autocommit=True,
            prepare_threshold=None if threshold is None else int(threshold),
            **{"fallback_application_name": "threadkeep", "client_encoding": "UTF8", **said},
        )
        teach(made)
        return made

    def inspected(self, connection: Any) -> None:
        """Prepare statements only where the server itself answers.

        A pooler gives each statement to another session, which knows nothing of them; that it
        stands between shows by the process number, which it makes up.
        """
        if connection.info.encoding != "utf-8":
            raise BackendError(
                f"the connection must speak UTF8, not {connection.info.encoding}: "
                "pass the Engine client_encoding"
            )
        (found,) = self.run(connection, [("SELECT pg_backend_pid()", {})])
        if found[0] == connection.info.backend_pid:
            self._prepare_after = _PREPARE_AFTER
            if not self._told:
                connection.prepare_threshold = _PREPARE_AFTER

    def about(self, connection: Any) -> dict[str, str]:
        return dict(self.run(connection, [(ABOUT, {})]))

    def adopt(self, connection: Any) -> bool:
        teach(connection)
        before: bool = connection.autocommit
        connection.autocommit = True
        return before

    def restore(self, connection: Any, before: bool) -> None:
        connection.autocommit = before

    def abort(self, connection: Any) -> None:
        """Ask the server first: what waits for a lock would else be done later all the same."""
        with contextlib.suppress(psycopg.Error, OSError):
            connection.cancel_safe(timeout=1.0)
            return
        with (
            contextlib.suppress(psycopg.Error, OSError),
            # a number of our own: theirs must stay open until they close it, since by then another
            # may have been given it
            socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        if not steps:
            return []  # a pipeline of nothing would still cost a round trip
        if len(steps) == 1:
            return _rows(_execute(connection, steps[0]))
        with connection.pipeline():
            cursors = [_execute(connection, step) for step in steps]
        return [row for cursor in cursors for row in _rows(cursor)]

    def count(self, connection: Any, step: Step) -> int:
        return int(_execute(connection, step).rowcount)

    def fast(self, connection: Any, change: Change) -> Commit | None:
        expect = change.expect
        if change.drop or not change.put or (expect is None and change.token is not None):
            return None
        parameters = {
            **_columns(change.put),
            "stream": change.stream,
            "n": len(change.put),
            "birth": first_version(),
            "keep": isinstance(change.ttl, Keep),
            "expires": expiry(change.ttl, change.now, None),
            "expect": expect,
            "last": None if expect is None else expect + reach(expect),
            "token": change.token,
            "now": change.now,
        }
        rows = self.run(connection, [(self._commits.of(expect), parameters)])
        if not rows:
            return None
        version, base = rows[0][:2]
        plan = commit_plan.Plan([], version, commit_plan.numbered(change.put, base))
        known = (row[2:] for row in rows if row[2] is not None)
        return commit_plan.answer(plan, known, self, change)

    def put(self, stream: str, base: int, records: Sequence[Record], now: float) -> list[Step]:
        parameters = {**_columns(records), "stream": stream, "base": base, "now": now}
        return [(self._commits.put, parameters)]

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        return [(text, {**parameters, "ids": Texts(ids)})]

    def by_names(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        return text, {**parameters, "names": Texts(names)}

    def id_test(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return f"= ANY(:{name}::text[])", {name: Texts(ids)}

    def text(self, value: Any) -> str:
        return value  # type: ignore[no-any-return]  # text columns are str

    def fault(self, error: Exception) -> Fault:
        return fault(error)


def _execute(connection: Any, step: Step) -> Any:
    return connection.cursor(row_factory=tuple_row).execute(*step)


def _rows(cursor: Any) -> list[Any]:
    rows: list[Any] = cursor.fetchall() if cursor.rownumber is not None else []
    return rows


def _columns(records: Sequence[Record]) -> dict[str, Texts | Times]:
    return {
        "kinds": Texts([record.kind for record in records]),
        "ids": Texts([record.id for record in records]),
        "bodies": Texts([record.body for record in records]),
        "ats": Times([record.at for record in records]),
        "ends": Times([record.expires for record in records]),
    }


def _check(parameters: Mapping[str, Any]) -> None:
    known = KEYWORDS | {PREPARE}
    for name, value in parameters.items():
        if name not in known:
            raise ConfigError(f"PostgreSQL has no parameter {name!r}{did_you_mean(name, known)}")
        if "\0" in str(value):
            raise ConfigError(f"{name} must not contain NUL")
    threshold = str(parameters.get(PREPARE, 0))
    if not (threshold.isascii() and threshold.isdigit()):
        raise ConfigError(f"{PREPARE} must be a whole number of at least 0")
