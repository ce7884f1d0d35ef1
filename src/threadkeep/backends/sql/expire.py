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
    sql = dialect.sql
    deletions = (sql.delete_records_of, sql.delete_streams)
    return _sweep(dialect, connection, sql.expired_streams, sql.lock_expired, deletions, now, limit)


def sweep_records(dialect: Dialect, connection: Any, now: float, limit: int) -> int:
    """Delete up to `limit` records that expired; return the row count."""
    sql = dialect.sql
    deletions = (sql.delete_expired_records,)
    return _sweep(
        dialect, connection, sql.expired_record_streams, sql.lock_streams, deletions, now, limit
    )


def _sweep(
    dialect: Dialect,
    connection: Any,
    find: str,
    lock: str,
    deletions: Sequence[str],
    now: float,
    limit: int,
) -> int:
    """Lock the streams that are found, and delete from them until `limit` rows went."""
    expired_stream_names = _stream_names(dialect, connection, find, now, min(limit, _BATCH))
    if not expired_stream_names:
        return 0
    locked_stream_names = _lock(dialect, connection, lock, expired_stream_names, now)
    swept_count = 0
    for deletion in deletions:
        if swept_count < limit:
            swept_count += _delete(dialect, connection, deletion, locked_stream_names, now, limit)
    dialect.run(connection, [("COMMIT", {})])
    return swept_count


def _stream_names(
    dialect: Dialect, connection: Any, text: str, now: float, limit: int
) -> list[str]:
    name_rows = dialect.run(connection, [(text, {"now": now, "limit": limit})])
    return [*dict.fromkeys(dialect.text(stream_name) for (stream_name,) in name_rows)]


def _lock(
    dialect: Dialect, connection: Any, text: str, names: Sequence[str], now: float
) -> list[str]:
    lock_step = dialect.by_streams(text, {"now": now}, names)
    return [dialect.text(name) for (name,) in dialect.run(connection, [*dialect.begin, lock_step])]


def _delete(
    dialect: Dialect, connection: Any, text: str, names: Sequence[str], now: float, limit: int
) -> int:
    if not names:
        return 0
    delete_step = dialect.by_streams(text, {"now": now, "limit": limit}, names)
    return dialect.count(connection, delete_step)
