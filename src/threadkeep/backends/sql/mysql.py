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
from threadkeep.backends.sql.driver_errors import Fault
from threadkeep.backends.sql.mysql_connect import Line, checked, open_line
from threadkeep.backends.sql.mysql_errors import fault
from threadkeep.backends.sql.names import Names
from threadkeep.backends.sql.schema import Columns
from threadkeep.backends.sql.statements import ReadText, Step, Words, build, pyformat, tables
from threadkeep.backends.sql.url import Target
from threadkeep.errors import BackendError
from threadkeep.types import Commit, Record

WORDS: Final = Words(
    quote=lambda name: f"`{name}`", rewrite=pyformat, ids="IN :ids", names="IN :names"
)
# 51 of the 64 characters a name may have; SHA1() left the server in MySQL 9.6
_LOCK: Final = "CONCAT('threadkeep ', LEFT(SHA2(CONCAT(DATABASE(), '.', :name), 256), 40))"
_ROW: Final = "(%s, %s, %s, %s, %s, %s, %s)"
# In this order: what is assigned first is seen by what follows.
_PUT: Final = (
    "INSERT INTO {0} (stream, kind, seq, id, body, at, expires) VALUES {1} "
    "ON DUPLICATE KEY UPDATE seq = IF(expires <= %s, VALUES(seq), seq), "
    "body = VALUES(body), at = VALUES(at), expires = VALUES(expires)"
)
_ABOUT: Final[Sequence[Step]] = (
    ("SHOW VARIABLES WHERE Variable_name IN ('version', 'max_connections', 'read_only')", ()),
    ("SHOW STATUS WHERE Variable_name IN ('Ssl_version', 'Threads_connected')", ()),
)


def _lock(connection: Connection, names: Names, deadline: Deadline) -> None:
    wanted = {"name": str(names), "seconds": int(deadline.left())}
    got = connection.execute(text(f"SELECT GET_LOCK({_LOCK}, :seconds)"), wanted).scalar()
    if got != 1:
        raise BackendError(f"the tables {names} are being migrated by others: try again")


def _unlock(connection: Connection, names: Names) -> None:
    connection.execute(text(f"SELECT RELEASE_LOCK({_LOCK})"), {"name": str(names)})


COLUMNS: Final = Columns(
    name=VARBINARY(512),  # text would take `a` and `a ` for the same
    kind=VARBINARY(32),
    body=LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"),
    time=DOUBLE(),
    case=str,
    options={"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"},
    stream_options={},
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
    many = 1000  # of very many ids in one test the server forgets the index
    begin: Sequence[Step] = (("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ()), ("BEGIN", ()))
    purge: Sequence[Step] = ()  # the server does it by itself
    leaves: Sequence[str] = (
        "the server's pages, undo and binary logs, until it purges them",
        "its replicas and backups",
    )

    def __init__(self, target: Target, names: Names) -> None:
        checked(target.parameters)
        self.tables = tables(names, WORDS.quote)
        self.sql = build(self.tables, WORDS)
        self.reads = ReadText(self.tables, WORDS)
        self._put = lru_cache(64)(self._put_text)

    def connect(self, target: Target, timeout: float, limit: float) -> Any:
        return open_line(target, timeout, limit)

    def inspected(self, connection: Any) -> None:
        rows = self.run(connection, [("SELECT VERSION(), @@character_set_client", ())])
        version, charset = rows[0]
        number = tuple(map(int, re.findall(r"\d+", version)[:2]))
        least = (10, 6) if "MariaDB" in version else (8, 0)
        if number < least:
            raise BackendError(f"MySQL 8.0 or MariaDB 10.6 is the least; this is {version}")
        if charset != "utf8mb4":
            raise BackendError(
                f"the connection must speak utf8mb4, not {charset}: ?charset=utf8mb4"
            )

    def about(self, connection: Any) -> dict[str, str]:
        found = dict(self.run(connection, _ABOUT))
        version, _, maker = str(found["version"]).partition("-")
        said = {
            "engine": f"{'MariaDB' if 'MariaDB' in maker else 'MySQL'} {version}",
            "tls": found.get("Ssl_version") or "no",
            "connections": f"{found['Threads_connected']} of {found['max_connections']}",
        }
        if found.get("read_only") == "ON":
            said["role"] = "a read-only replica: connect to the primary"
        return said

    def adopt(self, connection: Any) -> bool:
        before: bool = connection.get_autocommit()
        connection.autocommit(True)
        return before

    def restore(self, connection: Any, before: bool) -> None:
        connection.autocommit(before)

    def abort(self, connection: Any) -> None:
        """Locks are waited for before the packet that commits, so nothing is done later."""
        if isinstance(connection, Line):
            connection.cut()

    def run(self, connection: Any, steps: Sequence[Step]) -> list[Any]:
        rows: list[Any] = []
        with contextlib.closing(connection.cursor(Cursor)) as cursor:
            for packet in _packets(connection, cursor, steps):
                cursor.execute(packet)
                rows += cursor.fetchall() if cursor.description else ()
                while cursor.nextset():
                    rows += cursor.fetchall() if cursor.description else ()
        return rows

    def count(self, connection: Any, step: Step) -> int:
        with contextlib.closing(connection.cursor(Cursor)) as cursor:
            return int(cursor.execute(*step))

    def fast(self, connection: Any, change: Change) -> Commit | None:
        return None

    def put(self, stream: str, base: int, records: Sequence[Record], now: float) -> list[Step]:
        values: list[Any] = []
        for seq, record in enumerate(records, base + 1):
            values += (stream, record.kind, seq, record.id, record.body, record.at, record.expires)
        write = (self._put(len(records)), (*values, now))
        return [write, *commit_plan.places(self, stream, records, base)]

    def by_ids(self, text: str, parameters: dict[str, Any], ids: Sequence[str]) -> list[Step]:
        parts = (ids[start : start + self.many] for start in range(0, len(ids), self.many))
        return [(text, {**parameters, "ids": tuple(part)}) for part in parts]

    def by_names(self, text: str, parameters: dict[str, Any], names: Sequence[str]) -> Step:
        return text, {**parameters, "names": tuple(names)}

    def id_test(self, name: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return f"IN :{name}", {name: tuple(ids)}

    def text(self, value: Any) -> str:
        return value.decode()  # type: ignore[no-any-return]

    def fault(self, error: Exception) -> Fault:
        return fault(error)

    def _put_text(self, rows: int) -> str:
        return _PUT.format(self.tables.records, ", ".join([_ROW] * rows))


def _packets(connection: Any, cursor: Any, steps: Sequence[Step]) -> list[str]:
    """All statements as one, where the connection allows that; none of none."""
    texts = [cursor.mogrify(text, values or None) for text, values in steps]
    joined = texts and connection.client_flag & CLIENT.MULTI_STATEMENTS
    return ["; ".join(texts)] if joined else texts
