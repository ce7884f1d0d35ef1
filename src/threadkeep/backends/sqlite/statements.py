"""The SQL statements, built once. Parameters (`?`) follow the order of the columns."""

from __future__ import annotations

from typing import Final

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"  # a deferred one that writes later is refused at once
COMMIT: Final = "COMMIT"

HEAD: Final = (
    "SELECT sid, version, seq, expires, token, token_version FROM tk_stream WHERE stream = ?"
)
BEGIN_LIFE: Final = (
    "INSERT INTO tk_stream (stream, version, seq, expires, token, token_version) "
    "VALUES (?, ?, ?, ?, ?, ?) RETURNING sid"
)
GO_ON: Final = (
    "UPDATE tk_stream SET version = ?, seq = ?, expires = ?, token = ?, token_version = ? "
    "WHERE sid = ?"
)
GO_ON_FROM: Final = (
    GO_ON + " AND version = ? AND seq = ? AND stream = ? AND (expires IS NULL OR expires > ?)"
)
"""Without a SELECT before it; changes no row unless the stream exists and has not expired."""
TOUCH: Final = "UPDATE tk_stream SET expires = ? WHERE sid = ?"
END_LIFE: Final = "DELETE FROM tk_stream WHERE sid = ?"

_INSERT: Final = "INSERT INTO tk_record (sid, kind, seq, id, body, at, expires) VALUES "
_ROW: Final = "(?, ?, ?, ?, ?, ?, ?)"
_NEW_ONLY: Final = " ON CONFLICT (sid, kind, id) DO NOTHING"
FEW: Final = 8
"""Up to this many rows, one multi-row statement is faster than `executemany`."""
PUT_FEW: Final = tuple(_INSERT + ", ".join([_ROW] * n) + _NEW_ONLY for n in range(FEW + 1))
PUT_ONE: Final = PUT_FEW[1]
FIND: Final = "SELECT seq, expires FROM tk_record WHERE sid = ? AND kind = ? AND id = ?"
REPLACE: Final = (
    "UPDATE tk_record SET body = ?, at = ?, expires = ? WHERE sid = ? AND kind = ? AND seq = ?"
)
REMOVE: Final = "DELETE FROM tk_record WHERE sid = ? AND kind = ? AND seq = ?"

DROP_ALL: Final = "DELETE FROM tk_record WHERE sid = ?"
DROP_RANGE: Final = "DELETE FROM tk_record WHERE sid = ? AND kind = ? AND seq <= ?"
DROP_IDS: Final = (
    "DELETE FROM tk_record INDEXED BY tk_record_id WHERE sid = ? AND kind = ? AND seq <= ? "
    "AND id IN (SELECT value FROM json_each(?))"
)

LIVE: Final = (
    "SELECT sid, version FROM tk_stream WHERE stream = ? AND (expires IS NULL OR expires > ?)"
)
LIVE_WITH_RECORD: Final = (
    "SELECT s.sid, s.version, r.id, r.body, r.at, r.expires, r.seq FROM tk_stream s "
    "LEFT JOIN tk_record r ON r.sid = s.sid AND r.kind = ? AND r.id = ? "
    "AND (r.expires IS NULL OR r.expires > ?) "
    "WHERE s.stream = ? AND (s.expires IS NULL OR s.expires > ?)"
)
"""A stream with one of its records: the first read of every session."""
_SELECT: Final = "SELECT id, body, at, expires, seq FROM tk_record "
_RANGE: Final = (
    "WHERE sid = ? AND kind = ? AND seq > ? AND seq < ? AND (expires IS NULL OR expires > ?) "
)
_IDS: Final = "AND id IN (SELECT value FROM json_each(?)) "
OLDEST: Final = f"{_SELECT}{_RANGE}ORDER BY seq LIMIT ?"
NEWEST: Final = f"{_SELECT}{_RANGE}ORDER BY seq DESC LIMIT ?"
OLDEST_IDS: Final = f"{_SELECT}INDEXED BY tk_record_id {_RANGE}{_IDS}ORDER BY seq LIMIT ?"
NEWEST_IDS: Final = f"{_SELECT}INDEXED BY tk_record_id {_RANGE}{_IDS}ORDER BY seq DESC LIMIT ?"

STREAMS: Final = (
    "SELECT stream FROM tk_stream WHERE stream >= ? AND stream > ? ORDER BY stream LIMIT ?"
)

DEAD_STREAMS: Final = "SELECT sid FROM tk_stream WHERE expires <= ? LIMIT ?"
STILL_DEAD: Final = "SELECT 1 FROM tk_stream WHERE sid = ? AND expires <= ?"
SWEEP_STREAM: Final = (
    "DELETE FROM tk_record WHERE (sid, kind, seq) IN "
    "(SELECT sid, kind, seq FROM tk_record WHERE sid = ? LIMIT ?)"
)
DEAD_RECORDS: Final = "SELECT sid, kind, seq FROM tk_record WHERE expires <= ? LIMIT ?"
SWEEP_RECORD: Final = (
    "DELETE FROM tk_record WHERE expires <= ? AND sid = ? AND kind = ? AND seq = ?"
)
