"""Describes a database file without creating or changing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path


def describe(path: str) -> dict[str, str]:
    """Return `engine`, `path`, `exists` (`yes` or `no`), and if it exists `bytes`, `schema`."""
    description = {"engine": f"SQLite {sqlite3.sqlite_version}", "path": path}
    if path == ":memory:":
        return {**description, "exists": "yes"}
    file = Path(path)
    if not file.exists():
        return {**description, "exists": "no"}
    description |= {"exists": "yes", "bytes": f"{sum(map(_file_size, _database_files(file))):,}"}
    schema_version = _schema_version(file)
    return description if schema_version is None else {**description, "schema": schema_version}


def _database_files(file: Path) -> list[Path]:
    return [file, *(file.with_name(f"{file.name}{suffix}") for suffix in ("-wal", "-shm"))]


def _file_size(file: Path) -> int:
    with suppress(OSError):  # it may be removed meanwhile
        return file.stat().st_size
    return 0


def _schema_version(file: Path) -> str | None:
    # not from the file's header, which may be older than the write-ahead log
    with suppress(sqlite3.Error):
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=1)) as connection:
            (schema_version,) = connection.execute("PRAGMA user_version").fetchone()
            return str(schema_version)
    return None
