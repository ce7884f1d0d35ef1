"""The tables, their version, and how a database gets from none or an older one to this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.sql.elements import quoted_name

from threadkeep.backends.sql.deadline import Deadline
from threadkeep.backends.sql.names import Names
from threadkeep.errors import BackendError

OWNER: Final = "threadkeep"


class Columns(NamedTuple):
    """The types of a dialect.

    Attributes:
        name: of streams and ids: 512 bytes, compared byte by byte.
        kind: 32 letters.
        body: any JSON text.
        time: a double.
        stream_options: of the table of streams, for SQLAlchemy's `Table`.
        expires_options: of the index on the expiry of records, for SQLAlchemy's `Index`.
        lock: holds off other migrations of these tables.
        unlock: lets them go on, if the end of the transaction does not.
    """

    name: Any
    kind: Any
    body: Any
    time: Any
    case: Callable[[str], str]
    options: Mapping[str, Any]
    stream_options: Mapping[str, Any]
    expires_options: Mapping[str, Any]
    lock: Callable[[Connection, Names, Deadline], None]
    unlock: Callable[[Connection, Names], None] = lambda connection, names: None


def _first(connection: Connection, names: Names, columns: Columns) -> None:
    metadata(names, columns).create_all(connection, checkfirst=True)


# One entry per schema version: what leads to it from the one before. It may have been done in part.
MIGRATIONS: Final[tuple[Callable[[Connection, Names, Columns], None], ...]] = (_first,)
VERSION: Final = len(MIGRATIONS)


def check(version: int, where: str) -> bool:
    """Is the schema up to date?

    Raises:
        BackendError: a newer threadkeep made it.
    """
    if version > VERSION:
        raise BackendError(
            f"{where} has schema version {version}, this threadkeep knows {VERSION}: "
            "upgrade threadkeep"
        )
    return version == VERSION


def migrate(engine: Engine, names: Names, columns: Columns, where: str, deadline: Deadline) -> None:
    """Create or migrate the tables, one process at a time.

    Raises:
        BackendError: they are somebody else's, or of a newer threadkeep; nothing is changed.
    """
    with engine.begin() as connection:
        columns.lock(connection, names, deadline)
        try:
            _migrate(connection, names, columns, where)
        finally:
            columns.unlock(connection, names)


def _migrate(connection: Connection, names: Names, columns: Columns, where: str) -> None:
    known = _version(connection, names, columns, where)
    if check(known, where):
        return
    for step in MIGRATIONS[known:]:
        step(connection, names, columns)
    meta = metadata(names, columns).tables[_key(names, columns, names.meta)]
    connection.execute(meta.delete().where(meta.c.name == OWNER))
    connection.execute(meta.insert().values(name=OWNER, version=VERSION))


def _version(connection: Connection, names: Names, columns: Columns, where: str) -> int:
    """Of what is there; 0 = nothing is."""
    there = inspect(connection)
    schema = _quoted(names.schema, columns) if names.schema else None
    has = {n: there.has_table(_quoted(n, columns), schema) for n in _all(names)}
    if has[names.meta]:
        meta = metadata(names, columns).tables[_key(names, columns, names.meta)]
        found = {column["name"] for column in there.get_columns(meta.name, schema)}
        if {"name", "version"} <= {str(name).lower() for name in found}:
            row = connection.execute(meta.select().where(meta.c.name == OWNER)).first()
            if row is not None:
                return int(row.version)
    elif not any(has.values()):
        return 0
    if has[names.meta] and not has[names.records] and not has[names.streams]:
        return 0 if _is_ours(there, names, columns, schema) else _refuse(names, where)
    return _refuse(names, where)


def _is_ours(there: Any, names: Names, columns: Columns, schema: Any) -> bool:
    found = {
        str(c["name"]).lower() for c in there.get_columns(_quoted(names.meta, columns), schema)
    }
    return found == {"name", "version"}


def _refuse(names: Names, where: str) -> int:
    raise BackendError(
        f"{where} has tables called {names} or {names.streams} that are not threadkeep's, and they "
        "were left as they are: pass another table_name"
    )


def _all(names: Names) -> tuple[str, str, str]:
    return names.records, names.streams, names.meta


def _quoted(name: str, columns: Columns) -> quoted_name:
    return quoted_name(columns.case(name), quote=True)


def _key(names: Names, columns: Columns, name: str) -> str:
    own = columns.case(name)
    return f"{columns.case(names.schema)}.{own}" if names.schema else own


def metadata(names: Names, columns: Columns) -> MetaData:
    """The tables as SQLAlchemy describes them."""
    found = MetaData(schema=_quoted(names.schema, columns) if names.schema else None)
    Table(
        _quoted(names.meta, columns),
        found,
        Column("name", String(32), primary_key=True),
        Column("version", Integer, nullable=False),
        **columns.options,
    )
    _streams(found, names, columns)
    _records(found, names, columns)
    return found


def _streams(found: MetaData, names: Names, columns: Columns) -> None:
    Table(
        _quoted(names.streams, columns),
        found,
        Column("stream", columns.name, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("expires", columns.time),  # no index: PostgreSQL would update it at every commit
        Column("token", columns.name),
        Column("token_version", BigInteger),
        **columns.options,
        **columns.stream_options,
    )


def _records(found: MetaData, names: Names, columns: Columns) -> None:
    made = Table(
        _quoted(names.records, columns),
        found,
        Column("stream", columns.name, nullable=False),
        Column("kind", columns.kind, nullable=False),
        Column("seq", BigInteger, nullable=False, autoincrement=False),
        Column("id", columns.name, nullable=False),
        Column("body", columns.body, nullable=False),
        Column("at", columns.time, nullable=False),
        Column("expires", columns.time),
        # In this order: where PostgreSQL knows nothing of the data yet, the younger index wins.
        PrimaryKeyConstraint("stream", "kind", "seq"),
        UniqueConstraint("stream", "kind", "id", name=_quoted(names.beside("id"), columns)),
        **columns.options,
    )
    index = _quoted(names.beside("expires"), columns)
    options = columns.expires_options
    if options.get("postgresql_where"):
        options = {**options, "postgresql_where": text(options["postgresql_where"])}
    Index(index, made.c.expires, **options)
