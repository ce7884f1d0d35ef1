"""H2 in Oracle's mode, which runs the shape of our Oracle statements; it is no Oracle.

It proves neither driver binding nor LOBs, SKIP LOCKED (which H2 does not know) or ORA- codes.
A shim of DB-API shape carries `:name` binds over JDBC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

_BIND = re.compile(r":([a-z]\w*)")
_JAR = Path("/usr/share/java/h2.jar")
# Every worker runs few statements of each kind: to compile them well costs more than they do.
_JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def connector(folder: Path) -> Callable[[], Any]:
    """Opens connections to one private in-process database. Skips where H2 is not installed."""
    if not _JAR.exists():
        pytest.skip("H2 is not installed (libh2-java)")
    jaydebeapi = pytest.importorskip("jaydebeapi")
    jpype = pytest.importorskip("jpype")
    # at exit Java would wait for ever for threads of Python that ended without a word to it
    pytest.importorskip("jpype.config").destroy_jvm = False
    if not jpype.isJVMStarted():  # JayDeBeApi would start it, without our flags
        how = {"ignoreUnrecognized": True, "convertStrings": True}
        jpype.startJVM(*_JAVA, classpath=[str(_JAR)], **how)
    url = f"jdbc:h2:{folder}/h2;MODE=Oracle;LOCK_TIMEOUT=20000"

    def connect() -> Any:
        line = jaydebeapi.connect("org.h2.Driver", url, ["sa", ""], str(_JAR))
        line.jconn.setAutoCommit(False)
        return Connection(line)

    return connect


class Connection:
    """What our dialect asks of an oracledb connection, over JDBC."""

    autocommit = False

    def __init__(self, line: Any) -> None:
        self._line = line

    def cursor(self) -> Cursor:
        return Cursor(self._line)

    def commit(self) -> None:
        self._line.commit()

    def rollback(self) -> None:
        self._line.rollback()

    def close(self) -> None:
        self._line.close()

    def cancel(self) -> None:
        pass


class Cursor:
    """A cursor that takes `:name`."""

    outputtypehandler: Any = None

    def __init__(self, line: Any) -> None:
        self._cursor = line.cursor()

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def close(self) -> None:
        self._cursor.close()

    def setinputsizes(self, **sizes: Any) -> None:
        pass

    def execute(self, statement: str, values: Any = None) -> None:
        statement = statement.replace(" SKIP LOCKED", "")
        statement = statement.replace("TO_CLOB(NULL)", "CAST(NULL AS CLOB)")
        names = _BIND.findall(statement)
        row = [values[name] for name in names] if names else []
        self._cursor.execute(_BIND.sub("?", statement), row)

    def executemany(self, statement: str, rows: Sequence[Any]) -> None:
        for row in rows:
            self.execute(statement, row)

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return int(self._cursor.rowcount)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(map(_plain, row)) for row in self._cursor.fetchall()]

    def fetchone(self) -> Any:
        rows = self._cursor.fetchone()
        return None if rows is None else tuple(map(_plain, rows))


def _plain(value: Any) -> Any:
    """Python's own for what JDBC gives."""
    if value is None:
        return None
    for kind in (int, float, str):
        if isinstance(value, kind):  # also a Long of Java's, which oracledb does not give
            return kind(value)
    name = type(value).__name__
    if "Clob" in name:
        return str(value.getSubString(1, int(value.length())))
    return int(str(value)) if "BigInteger" in name or "Long" in name else str(value)


def opener(folder: Path) -> Callable[[], Any]:
    """Opens our backend, all but its connections as it is for Oracle; the tables are made here."""
    connect = connector(folder)
    import jaydebeapi  # type: ignore[import-untyped]

    from threadkeep.backends.common.faults import Fault, FaultKind
    from threadkeep.backends.sql import SqlBackend
    from threadkeep.backends.sql import connect as opening
    from threadkeep.backends.sql.oracle import Oracle

    codes = {"[23505": FaultKind.RETRY, "[40001": FaultKind.RETRY, "[42102": FaultKind.MISSING}

    class OnH2(Oracle):
        errors = (jaydebeapi.Error,)

        def connect(self, target: Any, timeout: float, limit: float) -> Any:
            return connect()

        @staticmethod
        def classify(error: Exception) -> Fault:
            kinds = (kind for code, kind in codes.items() if code in str(error))
            return Fault(next(kinds, FaultKind.FATAL), str(error))

    made = connect()
    create_tables(made, "chat")
    made.close()

    def open_backend() -> SqlBackend:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opening, opening._load_dialect.__name__, OnH2)
            return SqlBackend("oracle://h2", table_name="chat", pool_size=20)

    return open_backend


def create_tables(connection: Any, table_name: str) -> None:
    """By the DDL that SQLAlchemy's Oracle dialect compiles."""
    from sqlalchemy.dialects.oracle import dialect
    from sqlalchemy.schema import CreateIndex, CreateTable

    from threadkeep.backends.sql import names, schema
    from threadkeep.backends.sql.oracle import COLUMNS

    tables = schema.build_metadata(names.parse(table_name), COLUMNS).sorted_tables
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(str(CreateTable(table).compile(dialect=dialect())))
            for index in table.indexes:
                cursor.execute(str(CreateIndex(index).compile(dialect=dialect())))
        meta = f"{table_name}_meta".upper()
        cursor.execute(
            f"INSERT INTO {meta} (name, version) VALUES ('threadkeep', {schema.VERSION})"
        )
    connection.commit()
