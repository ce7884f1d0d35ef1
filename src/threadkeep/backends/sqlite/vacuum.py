"""Taking what was deleted out of the file itself: out of its free space and its log."""

from __future__ import annotations

import sqlite3


def purge(connection: sqlite3.Connection) -> list[str]:
    """Write the file anew from what is alive, and empty the log; what that could not reach.

    `secure_delete` is not enough: pages that were split or joined keep copies of old rows.
    """
    connection.execute("VACUUM")
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        return ["the file's -wal log, which somebody was reading: purge again"]
    return []
