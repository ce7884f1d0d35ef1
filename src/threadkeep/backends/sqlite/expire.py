"""Reclaiming what expired: found without the write lock, removed in one short transaction."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from threadkeep.backends.sqlite import statements


class Dead(NamedTuple):
    """Keys of what was expired when it was looked for; others may have written since."""

    streams: list[Any]
    records: list[Any]


def find(connection: sqlite3.Connection, now: float, limit: int) -> Dead:
    """Up to `limit` streams and as many records that expired by `now`."""
    streams = connection.execute(statements.DEAD_STREAMS, (now, limit)).fetchall()
    return Dead(streams, connection.execute(statements.DEAD_RECORDS, (now, limit)).fetchall())


def remove(connection: sqlite3.Connection, dead: Dead, now: float, limit: int) -> int:
    """Remove what is still dead, up to `limit` rows of either table; return how many."""
    swept = 0
    for (sid,) in dead.streams:
        swept += _remove_stream(connection, sid, now, limit - swept)
    for record in dead.records[: limit - swept]:
        swept += connection.execute(statements.SWEEP_RECORD, (now, *record)).rowcount
    return swept


def _remove_stream(connection: sqlite3.Connection, sid: int, now: float, limit: int) -> int:
    """A long stream may take several sweeps; its head goes last, and hides what is left."""
    if limit <= 0 or not connection.execute(statements.STILL_DEAD, (sid, now)).fetchone():
        return 0
    swept = connection.execute(statements.SWEEP_STREAM, (sid, limit)).rowcount
    if swept < limit:
        swept += connection.execute(statements.END_LIFE, (sid,)).rowcount
    return swept
