"""Streams in PostgreSQL, MySQL, MariaDB or Oracle: one backend with three dialects."""

from threadkeep.backends.sql.backend import SqlBackend
from threadkeep.backends.sql.settings import open_mysql, open_postgres, open_sql
from threadkeep.backends.sql.settings_oracle import open_oracle

__all__ = ["SqlBackend", "open_mysql", "open_oracle", "open_postgres", "open_sql"]
