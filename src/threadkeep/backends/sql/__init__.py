"""Streams in PostgreSQL, MySQL, MariaDB or Oracle: one backend, one table of statements each."""

from threadkeep.backends.sql.backend import SqlBackend

__all__ = ["SqlBackend"]
