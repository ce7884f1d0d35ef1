"""Classifies SQLite's errors."""

from __future__ import annotations

import sqlite3
from typing import Final

from threadkeep.backends.common.faults import Fault, FaultKind

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


LOCKED: Final = Fault(
    FaultKind.TIMEOUT, "locked by others", "end what holds it (a backup, a shell?)"
)


def classify(error: Exception) -> Fault:
    """Classify an error; one without a code may quote stored text, so it is not cited."""
    error_code = getattr(error, "sqlite_errorcode", None)
    if error_code is None:
        return Fault(FaultKind.FATAL, f"{type(error).__name__} in the sqlite3 module")
    if error_code & 0xFF in _BUSY:
        return LOCKED
    remedy = _REMEDY.get(error_code & 0xFF, "see https://www.sqlite.org/rescode.html")
    error_name = getattr(error, "sqlite_errorname", "")
    return Fault(FaultKind.FATAL, f"{error} ({error_name})", remedy)
