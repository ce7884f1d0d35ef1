"""What a database file is, by looking only: it is not made."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path


def describe(path: str) -> dict[str, str]:
    """`engine`, `path`, `exists` (`yes` or `no`), and of a file that is there `bytes`, `schema`."""
    said = {"engine": f"SQLite {sqlite3.sqlite_version}", "path": path}
    if path == ":memory:":
        return {**said, "exists": "yes"}
    file = Path(path)
    if not file.exists():
        return {**said, "exists": "no"}
    said |= {"exists": "yes", "bytes": f"{sum(map(_size, _parts(file))):,}"}
    version = _schema(file)
    return said if version is None else {**said, "schema": version}


def _parts(file: Path) -> list[Path]:
    return [file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))]


def _size(file: Path) -> int:
    with suppress(OSError):  # it may go away meanwhile
        return file.stat().st_size
    return 0


def _schema(file: Path) -> str | None:
    # not from the file's header: what stands there may be older than the write-ahead log
    with suppress(sqlite3.Error):
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=1)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            return str(version)
    return None
