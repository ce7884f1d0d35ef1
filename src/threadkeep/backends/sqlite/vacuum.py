"""Erases deleted data from the file: from its free pages and its write-ahead log."""

from __future__ import annotations

import sqlite3


def purge(connection: sqlite3.Connection) -> list[str]:
    """Rewrite the file from live data and truncate the log; return what could not be erased.

    `secure_delete` is not enough: split or merged pages keep copies of old rows.
    """
    connection.execute("VACUUM")
    is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        return ["the file's -wal log, which another connection was reading: purge again"]
    return []
