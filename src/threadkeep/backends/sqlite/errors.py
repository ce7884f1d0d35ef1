"""Maps SQLite's errors to threadkeep errors that name the file and a remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threadkeep.errors import BackendError, BackendTimeout

_REMEDY: Final = {
    sqlite3.SQLITE_CANTOPEN: "create its folder, or allow this user to write there",
    sqlite3.SQLITE_READONLY: "allow this user to write to the file and to its folder",
    sqlite3.SQLITE_PERM: "allow this user to write to the file and to its folder",
    sqlite3.SQLITE_FULL: "free space on the disk, or raise the quota",
    sqlite3.SQLITE_IOERR: "look at the disk: full, over a size limit, failing, or a network drive?",
    sqlite3.SQLITE_NOTADB: "this is not a SQLite database: name another file, or move it away",
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged: save what can be read with `sqlite3 FILE .recover`, "
        "or go back to a backup"
    ),
}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def map_errors(location: str, timeout: float) -> Iterator[None]:
    """Raise `BackendError` or `BackendTimeout` instead of the driver's errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise map_error(error, location, timeout) from error


def map_error(error: sqlite3.Error, location: str, timeout: float) -> BackendError:
    """Map a driver error; one without a code may quote stored text, so it is not cited."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return BackendError(f"{location}: {type(error).__name__} in the sqlite3 module")
    if code & 0xFF in _BUSY:
        return lock_timeout(location, timeout)
    remedy = _REMEDY.get(code & 0xFF, "see https://www.sqlite.org/rescode.html")
    return BackendError(f"{location}: {error} ({error.sqlite_errorname}): {remedy}")


def lock_timeout(location: str, timeout: float) -> BackendTimeout:
    """The error for a write lock that was not released in time."""
    return BackendTimeout(
        f"{location} was locked by others for more than {timeout:g} s: "
        "end what holds it (a backup, a shell?), or raise `timeout`"
    )
