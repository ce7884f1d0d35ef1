"""What SQLite complains about, in our words: where it happened, and what to do about it."""

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
def translated(where: str, timeout: float) -> Iterator[None]:
    """Raise `BackendError` or `BackendTimeout` in place of the driver's errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, where, timeout) from error


def translate(error: sqlite3.Error, where: str, timeout: float) -> BackendError:
    """Our error for the driver's; errors without a code may quote stored text, so are not cited."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return BackendError(f"{where}: {type(error).__name__} in the sqlite3 module")
    if code & 0xFF in _BUSY:
        return locked(where, timeout)
    remedy = _REMEDY.get(code & 0xFF, "see https://www.sqlite.org/rescode.html")
    return BackendError(f"{where}: {error} ({error.sqlite_errorname}): {remedy}")


def locked(where: str, timeout: float) -> BackendTimeout:
    """The error for a write lock that did not come free."""
    return BackendTimeout(
        f"{where} was locked by others for more than {timeout:g} s: "
        "end what holds it (a backup, a shell?), or raise `timeout`"
    )
