"""Streams in one SQLite file, by the standard library alone: the embedded default."""

from threadkeep.backends.sqlite.backend import SqliteBackend

__all__ = ["SqliteBackend"]
