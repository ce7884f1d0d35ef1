"""Removes expired data: finds it without the write lock, deletes it in a short transaction."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from threadkeep.backends.sqlite import statements


class ExpiredKeys(NamedTuple):
    """Keys that had expired when they were read; others may have written since."""

    streams: list[Any]
    records: list[Any]


def find_expired(connection: sqlite3.Connection, now: float, limit: int) -> ExpiredKeys:
    """Find up to `limit` streams and as many records that expired by `now`."""
    sid_rows = connection.execute(statements.DEAD_STREAMS, (now, limit)).fetchall()
    return ExpiredKeys(
        sid_rows, connection.execute(statements.DEAD_RECORDS, (now, limit)).fetchall()
    )


def remove_expired(
    connection: sqlite3.Connection, expired: ExpiredKeys, now: float, limit: int
) -> int:
    """Remove what is still expired, up to `limit` rows; return how many were removed."""
    swept_count = 0
    for (sid,) in expired.streams:
        swept_count += _remove_stream(connection, sid, now, limit - swept_count)
    for record_key in expired.records[: limit - swept_count]:
        swept_count += connection.execute(statements.SWEEP_RECORD, (now, *record_key)).rowcount
    return swept_count


def _remove_stream(connection: sqlite3.Connection, sid: int, now: float, limit: int) -> int:
    """Remove a stream's records and, last, its head, which hides those a later sweep removes."""
    if limit <= 0 or not connection.execute(statements.STILL_DEAD, (sid, now)).fetchone():
        return 0
    swept_count = connection.execute(statements.SWEEP_STREAM, (sid, limit)).rowcount
    if swept_count < limit:
        swept_count += connection.execute(statements.END_LIFE, (sid,)).rowcount
    return swept_count
