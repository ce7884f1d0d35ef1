"""Streams as append-only files in a folder, by the standard library alone."""

from threadkeep.backends.file.backend import FileBackend

__all__ = ["FileBackend"]
