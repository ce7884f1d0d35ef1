"""Reclaiming what expired, in short transactions that take the lock of a stream before its records.

A sweep waits for nobody: streams that are being written are left for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect

_BATCH: Final = 500


def streams(dialect: Dialect, connection: Any, now: float, limit: int) -> int:
    """Remove up to `limit` records of dead streams, then their heads; return how many rows.

    A head goes last: it hides what is left of its records.
    """
    dead = _names(dialect, connection, dialect.sql.dead_streams, now, min(limit, _BATCH))
    if not dead:
        return 0
    held = _lock(dialect, connection, dialect.sql.lock_dead, dead, now)
    swept = _delete(dialect, connection, dialect.sql.sweep_streams, held, now, limit)
    if swept < limit:
        swept += _delete(dialect, connection, dialect.sql.end_lives, held, now, limit)
    dialect.run(connection, [("COMMIT", {})])
    return swept


def records(dialect: Dialect, connection: Any, now: float, limit: int) -> int:
    """Remove up to `limit` records whose own time is over."""
    dead = _names(dialect, connection, dialect.sql.dead_records, now, min(limit, _BATCH))
    if not dead:
        return 0
    held = _lock(dialect, connection, dialect.sql.lock_streams, dead, now)
    swept = _delete(dialect, connection, dialect.sql.sweep_records, held, now, limit)
    dialect.run(connection, [("COMMIT", {})])
    return swept


def _names(dialect: Dialect, connection: Any, text: str, now: float, limit: int) -> list[str]:
    rows = dialect.run(connection, [(text, {"now": now, "limit": limit})])
    return [*dict.fromkeys(dialect.text(name) for (name,) in rows)]


def _lock(
    dialect: Dialect, connection: Any, text: str, names: Sequence[str], now: float
) -> list[str]:
    step = dialect.by_names(text, {"now": now}, names)
    return [dialect.text(name) for (name,) in dialect.run(connection, [*dialect.begin, step])]


def _delete(
    dialect: Dialect, connection: Any, text: str, names: Sequence[str], now: float, limit: int
) -> int:
    if not names:
        return 0
    step = dialect.by_names(text, {"now": now, "limit": limit}, names)
    return dialect.count(connection, step)
