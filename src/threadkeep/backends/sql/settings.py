"""Opens an `SqlBackend` from the settings of each type of store."""

from __future__ import annotations

from typing import Any

from threadkeep.backends.sql.backend import SqlBackend
from threadkeep.errors import ConfigError


def open_postgres(url: str | None = None, **options: Any) -> SqlBackend:
    """Open `type: postgres`, and URLs of that scheme."""
    return SqlBackend(url, dialect="postgresql", **options)


def open_mysql(url: str | None = None, **options: Any) -> SqlBackend:
    """Open `type: mysql`, and URLs of that scheme, also for MariaDB."""
    return SqlBackend(url, dialect="mysql", **options)


def open_sql(
    *,
    engine: Any = None,
    db_type: str | None = None,
    sql_host: str | None = None,
    sql_user: str | None = None,
    sql_password: Any = None,
    sql_database: str | None = None,
    **options: Any,
) -> SqlBackend:
    """Open `type: sql`, with the keys of the history service or the application's Engine.

    Raises:
        ConfigError: neither an engine nor a db_type is passed.
    """
    if engine is not None:
        # The engine itself limits the number of connections.
        return SqlBackend(engine, **{n: v for n, v in options.items() if n != "pool_size"})
    if db_type is None:
        raise ConfigError("sql needs a db_type: postgres, mysql or oracle")
    return SqlBackend(
        dialect=db_type,
        host=sql_host,
        user=sql_user,
        password=sql_password,
        database=sql_database,
        **options,
    )
