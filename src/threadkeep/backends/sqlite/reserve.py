"""Room on the disk that is kept for deleting: without any, SQLite cannot even free pages."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

SIZE: Final = 4 * 2**20
"""Bytes: as much as the write-ahead log grows before it is written back."""

_FROM: Final = 2**20  # bytes of a database that is worth it
_PLENTY: Final = 10 * SIZE  # bytes that must be free, so that no full disk gets a reserve again
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def path_of(database: str) -> Path:
    """The file beside a database that takes the room."""
    return Path(f"{database}-reserve")


def keep(database: str) -> None:
    """Reserve the room, unless the database is small or the disk nearly full."""
    reserve_path = path_of(database)
    with contextlib.suppress(OSError):
        if os.stat(database).st_size < _FROM or reserve_path.exists():  # noqa: PTH116
            return
        if shutil.disk_usage(reserve_path.parent).free >= _PLENTY:
            _allocate(reserve_path)


def release(database: str) -> bool:
    """Give the room back; returns whether there was any."""
    try:
        path_of(database).unlink()
    except OSError:
        return False
    return True


def is_full(error: BaseException | None) -> bool:
    """Whether an error of SQLite says that the disk is full, or may say so."""
    return isinstance(error, sqlite3.Error) and (error.sqlite_errorcode & 0xFF) in _FULL


def _allocate(reserve: Path) -> None:
    reserve_fd = os.open(reserve, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(reserve_fd, 0, SIZE)
        else:
            os.write(reserve_fd, bytes(SIZE))
    except OSError:
        reserve.unlink()
    finally:
        os.close(reserve_fd)
