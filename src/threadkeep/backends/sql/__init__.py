"""Streams in PostgreSQL, MySQL, MariaDB or Oracle: one backend with three dialects."""

from threadkeep.backends.sql.backend import SqlBackend

__all__ = ["SqlBackend"]
