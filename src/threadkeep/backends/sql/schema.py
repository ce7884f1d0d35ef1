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

from threadkeep.backends.common.deadline import Deadline
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
    made = metadata(names, columns)
    made.create_all(connection, checkfirst=True)
    for index in (index for table in made.tables.values() for index in table.indexes):
        index.create(connection, checkfirst=True)


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


def found(engine: Engine, names: Names, columns: Columns, where: str) -> int:
    """The version of the tables that are there; 0 = none are.

    Raises:
        BackendError: they are somebody else's.
    """
    with engine.begin() as connection:
        return _version(connection, names, columns, where)


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
    """Of what is there; 0 = nothing, or what an interrupted migration left."""
    there = inspect(connection)
    ours = metadata(names, columns).tables
    for table in ours.values():
        if there.has_table(table.name, table.schema):
            found = {str(c["name"]).lower() for c in there.get_columns(table.name, table.schema)}
            if not {column.name for column in table.columns} <= found:
                _refuse(names, where)
    meta = ours[_key(names, columns, names.meta)]
    if not there.has_table(meta.name, meta.schema):
        return 0
    row = connection.execute(meta.select().where(meta.c.name == OWNER)).first()
    return int(row.version) if row is not None else 0


def _refuse(names: Names, where: str) -> None:
    raise BackendError(
        f"{where} has tables called {names} or {names.streams} that are not threadkeep's, and they "
        "were left as they are: pass another table_name, also as ?table_name= in the URL"
    )


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
