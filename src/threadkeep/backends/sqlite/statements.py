"""The SQL statements, built once. Parameters (`?`) follow the order of the columns."""

from __future__ import annotations

from typing import Final

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"  # a deferred one that writes later is refused at once
COMMIT: Final = "COMMIT"

HEAD: Final = (
    "SELECT sid, version, seq, expires, ttl, token, token_version "
    "FROM threadkeep_streams WHERE stream = ?"
)
BEGIN_LIFE: Final = (
    "INSERT INTO threadkeep_streams (stream, version, seq, expires, ttl, token, token_version) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING sid"
)
ADVANCE: Final = (
    "UPDATE threadkeep_streams SET version = ?, seq = ?, expires = ?, ttl = ?, token = ?, "
    "token_version = ? WHERE sid = ?"
)
ADVANCE_FROM: Final = (
    "UPDATE threadkeep_streams SET version = ?, seq = ?, expires = max(?, expires), token = ?, "
    "token_version = ? WHERE sid = ? AND version = ? AND seq = ? AND stream = ? "
    "AND ttl IS ? AND (expires IS NULL OR expires > ?)"
)
"""Without a SELECT before it; changes no row unless the stream is there, alive, with this ttl."""
TOUCH: Final = "UPDATE threadkeep_streams SET expires = ?, ttl = ? WHERE sid = ?"
END_LIFE: Final = "DELETE FROM threadkeep_streams WHERE sid = ?"

_INSERT: Final = "INSERT INTO threadkeep (sid, kind, seq, id, body, at, expires) VALUES "
_ROW: Final = "(?, ?, ?, ?, ?, ?, ?)"
_NEW_ONLY: Final = " ON CONFLICT (sid, kind, id) DO NOTHING"
FEW: Final = 8
"""Up to this many rows, one multi-row statement is faster than `executemany`."""
PUT_FEW: Final = tuple(_INSERT + ", ".join([_ROW] * n) + _NEW_ONLY for n in range(FEW + 1))
PUT_ONE: Final = PUT_FEW[1]
FIND: Final = "SELECT seq, expires FROM threadkeep WHERE sid = ? AND kind = ? AND id = ?"
REPLACE: Final = (
    "UPDATE threadkeep SET body = ?, at = ?, expires = ? WHERE sid = ? AND kind = ? AND seq = ?"
)
REMOVE: Final = "DELETE FROM threadkeep WHERE sid = ? AND kind = ? AND seq = ?"

DROP_ALL: Final = "DELETE FROM threadkeep WHERE sid = ?"
DROP_RANGE: Final = "DELETE FROM threadkeep WHERE sid = ? AND kind = ? AND seq <= ?"
DROP_IDS: Final = (
    "DELETE FROM threadkeep INDEXED BY threadkeep_id WHERE sid = ? AND kind = ? AND seq <= ? "
    "AND id IN (SELECT value FROM json_each(?))"
)

LIVE: Final = (
    "SELECT sid, version FROM threadkeep_streams "
    "WHERE stream = ? AND (expires IS NULL OR expires > ?)"
)
LIVE_WITH_RECORD: Final = (
    "SELECT s.sid, s.version, r.id, r.body, r.at, r.expires, r.seq FROM threadkeep_streams s "
    "LEFT JOIN threadkeep r ON r.sid = s.sid AND r.kind = ? AND r.id = ? "
    "AND (r.expires IS NULL OR r.expires > ?) "
    "WHERE s.stream = ? AND (s.expires IS NULL OR s.expires > ?)"
)
"""A stream with one of its records: the first read of every session."""
_SELECT: Final = "SELECT id, body, at, expires, seq FROM threadkeep "
_RANGE: Final = (
    "WHERE sid = ? AND kind = ? AND seq > ? AND seq < ? AND (expires IS NULL OR expires > ?) "
)
_IDS: Final = "AND id IN (SELECT value FROM json_each(?)) "
OLDEST: Final = f"{_SELECT}{_RANGE}ORDER BY seq LIMIT ?"
NEWEST: Final = f"{_SELECT}{_RANGE}ORDER BY seq DESC LIMIT ?"
OLDEST_IDS: Final = f"{_SELECT}INDEXED BY threadkeep_id {_RANGE}{_IDS}ORDER BY seq LIMIT ?"
NEWEST_IDS: Final = f"{_SELECT}INDEXED BY threadkeep_id {_RANGE}{_IDS}ORDER BY seq DESC LIMIT ?"

STREAMS: Final = (
    "SELECT stream FROM threadkeep_streams WHERE stream >= ? AND stream > ? ORDER BY stream LIMIT ?"
)

DEAD_STREAMS: Final = "SELECT sid FROM threadkeep_streams WHERE expires <= ? LIMIT ?"
STILL_DEAD: Final = "SELECT 1 FROM threadkeep_streams WHERE sid = ? AND expires <= ?"
SWEEP_STREAM: Final = (
    "DELETE FROM threadkeep WHERE (sid, kind, seq) IN "
    "(SELECT sid, kind, seq FROM threadkeep WHERE sid = ? LIMIT ?)"
)
DEAD_RECORDS: Final = "SELECT sid, kind, seq FROM threadkeep WHERE expires <= ? LIMIT ?"
SWEEP_RECORD: Final = (
    "DELETE FROM threadkeep WHERE expires <= ? AND sid = ? AND kind = ? AND seq = ?"
)
