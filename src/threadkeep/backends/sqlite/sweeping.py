"""Reclaiming what expired: found without the write lock, removed in one short transaction."""

from __future__ import annotations

import sqlite3

from threadkeep.backends.sqlite import statements as sql


def sweep(connection: sqlite3.Connection, now: float, limit: int) -> int:
    """Remove up to `limit` rows: streams that expired with their records, then single records."""
    streams = connection.execute(sql.DEAD_STREAMS, (now, limit)).fetchall()
    records = connection.execute(sql.DEAD_RECORDS, (now, limit)).fetchall()
    if not streams and not records:
        return 0
    connection.execute(sql.BEGIN_WRITE)
    swept = 0
    for (sid,) in streams:
        swept += _sweep_stream(connection, sid, now, limit - swept)
    for record in records[: limit - swept]:
        swept += connection.execute(sql.SWEEP_RECORD, (now, *record)).rowcount
    connection.execute(sql.COMMIT)
    return swept


def _sweep_stream(connection: sqlite3.Connection, sid: int, now: float, limit: int) -> int:
    """A long stream may take several sweeps; its head goes last, and hides what is left."""
    if limit <= 0 or not connection.execute(sql.STILL_DEAD, (sid, now)).fetchone():
        return 0
    swept = connection.execute(sql.SWEEP_STREAM, (sid, limit)).rowcount
    if swept < limit:
        swept += connection.execute(sql.END_LIFE, (sid,)).rowcount
    return swept
