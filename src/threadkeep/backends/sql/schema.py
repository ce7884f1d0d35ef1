"""The tables and their version, and the migrations that create and update them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    DDL,
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
from sqlalchemy.event import listen
from sqlalchemy.sql.elements import quoted_name

from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.sql.names import TableNames
from threadkeep.errors import BackendError

OWNER: Final = "threadkeep"


class ColumnTypes(NamedTuple):
    """A dialect's column types and table options.

    Attributes:
        name: of streams and ids: 512 bytes, compared byte by byte.
        kind: 32 letters.
        body: any JSON text.
        time: a double.
        fold_case: spells a name as the database stores it.
        expires_options: of the index on the expiry of records, for SQLAlchemy's `Index`.
        lock: locks these tables against concurrent migrations.
        unlock: releases the lock, where the end of the transaction does not.
        after_streams: a statement that follows the creation of the table of streams.
    """

    name: Any
    kind: Any
    body: Any
    time: Any
    fold_case: Callable[[str], str]
    options: Mapping[str, Any]
    expires_options: Mapping[str, Any]
    lock: Callable[[Connection, TableNames, Deadline], None]
    unlock: Callable[[Connection, TableNames], None] = lambda connection, names: None
    after_streams: str = ""


def _create_tables(connection: Connection, names: TableNames, columns: ColumnTypes) -> None:
    metadata = build_metadata(names, columns)
    metadata.create_all(connection, checkfirst=True)
    for db_index in (db_index for table in metadata.tables.values() for db_index in table.indexes):
        db_index.create(connection, checkfirst=True)


def _add_ttl(connection: Connection, names: TableNames, columns: ColumnTypes) -> None:
    """Add the column that tables of the first version lack."""
    tables = build_metadata(names, columns).tables
    table = tables[_table_key(names, columns, names.streams)]
    inspector = inspect(connection)
    existing_columns = inspector.get_columns(table.name, table.schema)
    if any(str(column["name"]).lower() == "ttl" for column in existing_columns):
        return
    table_name = connection.dialect.identifier_preparer.format_table(table)
    type_name = table.c.ttl.type.compile(dialect=connection.dialect)
    connection.execute(text(f"ALTER TABLE {table_name} ADD ttl {type_name}"))


# One entry per schema version: the step from the version before, which may be done in part.
MIGRATIONS: Final[tuple[Callable[[Connection, TableNames, ColumnTypes], None], ...]] = (
    _create_tables,
    _add_ttl,
)
_ADDED: Final = {"ttl"}
"""Columns that older tables lack."""
VERSION: Final = len(MIGRATIONS)


def check(version: int, location: str) -> bool:
    """Returns True if the schema is up to date.

    Raises:
        BackendError: a newer threadkeep created it.
    """
    if version > VERSION:
        raise BackendError(
            f"{location} has schema version {version}, this threadkeep knows {VERSION}: "
            "upgrade threadkeep"
        )
    return version == VERSION


def migrate(
    engine: Engine, names: TableNames, columns: ColumnTypes, location: str, deadline: Deadline
) -> None:
    """Create or migrate the tables, one process at a time.

    Raises:
        BackendError: the tables are not threadkeep's, or newer; nothing is changed.
    """
    with engine.begin() as connection:
        columns.lock(connection, names, deadline)
        try:
            _migrate(connection, names, columns, location)
        finally:
            columns.unlock(connection, names)


def existing_version(engine: Engine, names: TableNames, columns: ColumnTypes, location: str) -> int:
    """Returns the version of the existing tables, 0 if there are none.

    Raises:
        BackendError: they are not threadkeep's.
    """
    with engine.begin() as connection:
        return _version(connection, names, columns, location)


def _migrate(
    connection: Connection, names: TableNames, columns: ColumnTypes, location: str
) -> None:
    schema_version = _version(connection, names, columns, location)
    if check(schema_version, location):
        return
    for migration in MIGRATIONS[schema_version:]:
        migration(connection, names, columns)
    meta_table = build_metadata(names, columns).tables[_table_key(names, columns, names.meta)]
    connection.execute(meta_table.delete().where(meta_table.c.name == OWNER))
    connection.execute(meta_table.insert().values(name=OWNER, version=VERSION))


def _version(connection: Connection, names: TableNames, columns: ColumnTypes, location: str) -> int:
    """Returns the version; 0 = no tables, or those of an interrupted migration."""
    inspector = inspect(connection)
    expected_tables = build_metadata(names, columns).tables
    for table in expected_tables.values():
        if inspector.has_table(table.name, table.schema):
            existing_columns = {
                str(column_info["name"]).lower()
                for column_info in inspector.get_columns(table.name, table.schema)
            }
            if not {column.name for column in table.columns} - _ADDED <= existing_columns:
                _raise_foreign_tables(names, location)
    meta_table = expected_tables[_table_key(names, columns, names.meta)]
    if not inspector.has_table(meta_table.name, meta_table.schema):
        return 0
    version_row = connection.execute(meta_table.select().where(meta_table.c.name == OWNER)).first()
    return int(version_row.version) if version_row is not None else 0


def _raise_foreign_tables(names: TableNames, location: str) -> None:
    raise BackendError(
        f"{location} has tables called {names} or {names.streams} that are not threadkeep's, "
        "and they were left as they are: pass another table_name, also as ?table_name= in the URL"
    )


def _quoted(name: str, columns: ColumnTypes) -> quoted_name:
    return quoted_name(columns.fold_case(name), quote=True)


def _table_key(names: TableNames, columns: ColumnTypes, name: str) -> str:
    folded_name = columns.fold_case(name)
    return f"{columns.fold_case(names.schema)}.{folded_name}" if names.schema else folded_name


def build_metadata(names: TableNames, columns: ColumnTypes) -> MetaData:
    """The tables as SQLAlchemy describes them."""
    metadata = MetaData(schema=_quoted(names.schema, columns) if names.schema else None)
    Table(
        _quoted(names.meta, columns),
        metadata,
        Column("name", String(32), primary_key=True),
        Column("version", Integer, nullable=False),
        **columns.options,
    )
    _add_streams_table(metadata, names, columns)
    _add_records_table(metadata, names, columns)
    return metadata


def _add_streams_table(tables: MetaData, names: TableNames, columns: ColumnTypes) -> None:
    streams_table = Table(
        _quoted(names.streams, columns),
        tables,
        Column("stream", columns.name, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("expires", columns.time),  # no index: PostgreSQL would update it at every commit
        Column("ttl", columns.time),
        Column("token", columns.name),
        Column("token_version", BigInteger),
        **columns.options,
    )
    if columns.after_streams:  # SQLAlchemy 2.0 has no storage parameters for tables
        listen(streams_table, "after_create", DDL(columns.after_streams))  # type: ignore[no-untyped-call]


def _add_records_table(tables: MetaData, names: TableNames, columns: ColumnTypes) -> None:
    records_table = Table(
        _quoted(names.records, columns),
        tables,
        Column("stream", columns.name, nullable=False),
        Column("kind", columns.kind, nullable=False),
        Column("seq", BigInteger, nullable=False, autoincrement=False),
        Column("id", columns.name, nullable=False),
        Column("body", columns.body, nullable=False),
        Column("at", columns.time, nullable=False),
        Column("expires", columns.time),
        # In this order: where PostgreSQL knows nothing of the data yet, the younger index wins.
        PrimaryKeyConstraint("stream", "kind", "seq"),
        UniqueConstraint("stream", "kind", "id", name=_quoted(names.derived("id"), columns)),
        **columns.options,
    )
    index_name = _quoted(names.derived("expires"), columns)
    index_options = columns.expires_options
    if index_options.get("postgresql_where"):
        index_options = {
            **index_options,
            "postgresql_where": text(index_options["postgresql_where"]),
        }
    Index(index_name, records_table.c.expires, **index_options)
