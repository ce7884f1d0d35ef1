"""Deletes expired streams and records, in short transactions that lock each stream first.

A sweep never waits for a lock: streams that are being written are left to the next sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect

_BATCH: Final = 500


def sweep_streams(dialect: Dialect, connection: Any, now: float, limit: int) -> int:
    """Delete up to `limit` records of expired streams, then their heads; return the row count.

    A head is deleted last, since it hides its remaining records.
    """
    expired = _stream_names(
        dialect, connection, dialect.sql.expired_streams, now, min(limit, _BATCH)
    )
    if not expired:
        return 0
    locked = _lock(dialect, connection, dialect.sql.lock_expired, expired, now)
    swept = _delete(dialect, connection, dialect.sql.delete_records_of, locked, now, limit)
    if swept < limit:
        swept += _delete(dialect, connection, dialect.sql.delete_streams, locked, now, limit)
    dialect.run(connection, [("COMMIT", {})])
    return swept


def sweep_records(dialect: Dialect, connection: Any, now: float, limit: int) -> int:
    """Delete up to `limit` records that expired; return the row count."""
    expired = _stream_names(
        dialect, connection, dialect.sql.expired_record_streams, now, min(limit, _BATCH)
    )
    if not expired:
        return 0
    locked = _lock(dialect, connection, dialect.sql.lock_streams, expired, now)
    swept = _delete(dialect, connection, dialect.sql.delete_expired_records, locked, now, limit)
    dialect.run(connection, [("COMMIT", {})])
    return swept


def _stream_names(
    dialect: Dialect, connection: Any, text: str, now: float, limit: int
) -> list[str]:
    rows = dialect.run(connection, [(text, {"now": now, "limit": limit})])
    return [*dict.fromkeys(dialect.text(name) for (name,) in rows)]


def _lock(
    dialect: Dialect, connection: Any, text: str, names: Sequence[str], now: float
) -> list[str]:
    step = dialect.by_streams(text, {"now": now}, names)
    return [dialect.text(name) for (name,) in dialect.run(connection, [*dialect.begin, step])]


def _delete(
    dialect: Dialect, connection: Any, text: str, names: Sequence[str], now: float, limit: int
) -> int:
    if not names:
        return 0
    step = dialect.by_streams(text, {"now": now, "limit": limit}, names)
    return dialect.count(connection, step)
