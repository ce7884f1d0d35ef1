"""One commit on an open write transaction: the lock is held, so what is read here stays true."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from threadkeep.backends.common.commit import (
    Action,
    Change,
    Decision,
    StreamState,
    decide,
    lifetime_after,
)
from threadkeep.backends.sqlite import statements
from threadkeep.backends.sqlite.head_cache import Heads, StreamPosition
from threadkeep.types import Commit, Drop, Keep, Record

RecordRow = tuple[int, str, int, str, str, float, float | None]
"""Of threadkeep: sid, kind, seq, id, body, at, expires."""

LAST: Final = 2**63 - 1
"""The largest seq that SQLite can hold: "no upper bound"."""


class Row(NamedTuple):
    """A row of threadkeep_streams."""

    sid: int
    version: int
    seq: int
    expires: float | None
    ttl: float | None
    token: str | None
    token_version: int | None

    @property
    def head(self) -> StreamState:
        """What a commit depends on."""
        return StreamState(self.version, self.expires, self.ttl, self.token, self.token_version)


def apply(connection: sqlite3.Connection, heads: Heads, change: Change) -> Commit:
    """What `Backend.commit` promises, but for the transaction around it."""
    if change.put and not change.drop:
        cached_commit = _continue_from_cache(connection, heads, change)
        if cached_commit:
            return cached_commit
    raw_row = connection.execute(statements.HEAD, (change.stream,)).fetchone()
    row = Row._make(raw_row) if raw_row else None
    decision = decide(row.head if row else None, change)
    action = decision.action
    if action is Action.CREATE:
        if row:
            connection.execute(statements.DROP_ALL, (row.sid,))
        return _write(connection, row, decision, change)
    if row is None or action is Action.IGNORE:
        return Commit(0, [])
    if action is Action.REPLAY:
        return Commit(decision.version, _seqs(connection, row.sid, change.put))
    if action is Action.TOUCH:
        return _touch(connection, row, decision)
    if action is Action.END:
        connection.execute(statements.DROP_ALL, (row.sid,))
        connection.execute(statements.END_LIFE, (row.sid,))
        return Commit(0, [])
    _drop(connection, row.sid, change.drop)
    heads.note(change.stream, StreamPosition(row.sid, decision.version, row.seq + len(change.put)))
    return _write(connection, row, decision, change)


def _continue_from_cache(
    connection: sqlite3.Connection, heads: Heads, change: Change
) -> Commit | None:
    """The commit, if the stream is where it was left; then its row need not be looked for."""
    stream_name, put, _, ttl, expect, token, now, _ = change
    if token is None or isinstance(ttl, Keep):
        return None
    lifetime = lifetime_after(ttl, now, None)
    cached_position = heads.advance(connection, stream_name, len(put), expect, lifetime, token, now)
    if cached_position is None:
        return None
    seqs = _put_records(connection, cached_position.sid, cached_position.seq, put, now)
    return Commit(cached_position.version + 1, seqs)


def _touch(connection: sqlite3.Connection, row: Row, decision: Decision) -> Commit:
    if (decision.expires, decision.ttl) != (row.expires, row.ttl):
        connection.execute(statements.TOUCH, (decision.expires, decision.ttl, row.sid))
    return Commit(decision.version, [])


def _drop(connection: sqlite3.Connection, sid: int, drops: Sequence[Drop]) -> None:
    for kind, record_ids, last_seq in drops:
        max_seq = LAST if last_seq is None else last_seq
        if record_ids is None:
            connection.execute(statements.DROP_RANGE, (sid, kind, max_seq))
        else:
            connection.execute(statements.DROP_IDS, (sid, kind, max_seq, id_list(record_ids)))


def _write(
    connection: sqlite3.Connection, row: Row | None, decision: Decision, change: Change
) -> Commit:
    """Write the row, then the records; seqs go on from those of the generation before."""
    base_seq = row.seq if row else 0
    _, version, expires, ttl, token, token_version = decision
    new_values = (version, base_seq + len(change.put), expires, ttl, token, token_version)
    if row:
        sid = row.sid
        connection.execute(statements.ADVANCE, (*new_values, sid))
    else:
        sid = connection.execute(statements.BEGIN_LIFE, (change.stream, *new_values)).lastrowid or 0
    seqs = _put_records(connection, sid, base_seq, change.put, change.now) if change.put else []
    return Commit(version, seqs)


def _put_records(
    connection: sqlite3.Connection, sid: int, base_seq: int, records: Sequence[Record], now: float
) -> list[int]:
    """Nearly always all ids are new, which the count of inserted rows proves."""
    rows = [
        (sid, record.kind, seq, record.id, record.body, record.at, record.expires)
        for seq, record in enumerate(records, base_seq + 1)
    ]
    if _insert(connection, rows) == len(rows):
        return list(range(base_seq + 1, base_seq + len(rows) + 1))
    # An id that comes twice stands where it came first, with the body that came last.
    first_seq_by_key = {(row[1], row[3]): row[2] for row in reversed(rows)}
    last_row_by_key = {(row[1], row[3]): row for row in rows}
    seq_by_key = {
        key: _put_again(connection, row, first_seq_by_key[key], now)
        for key, row in last_row_by_key.items()
    }
    return [seq_by_key[row[1], row[3]] for row in rows]


def _insert(connection: sqlite3.Connection, rows: Sequence[RecordRow]) -> int:
    """Insert the rows whose ids are new; return how many they were."""
    if len(rows) <= statements.FEW:
        row_values = tuple(chain.from_iterable(rows))
        return connection.execute(statements.PUT_FEW[len(rows)], row_values).rowcount
    return connection.executemany(statements.PUT_ONE, rows).rowcount


def _put_again(connection: sqlite3.Connection, row: RecordRow, new_seq: int, now: float) -> int:
    """Give a known id its new body, unless the row is there already; return its seq.

    An expired record gives way to a new one, at `new_seq`.
    """
    sid, kind, seq, id, body, written_at, expires = row
    stored_seq, stored_expiry = connection.execute(statements.FIND, (sid, kind, id)).fetchone()
    if stored_seq == seq:
        return seq
    if stored_seq != new_seq and stored_expiry is not None and stored_expiry <= now:
        connection.execute(statements.REMOVE, (sid, kind, stored_seq))
        connection.execute(statements.PUT_ONE, (sid, kind, new_seq, id, body, written_at, expires))
        return new_seq
    connection.execute(statements.REPLACE, (body, written_at, expires, sid, kind, stored_seq))
    return int(stored_seq)


def _seqs(connection: sqlite3.Connection, sid: int, records: Iterable[Record]) -> list[int]:
    """Where records are now; 0 for one that was dropped since."""
    rows = [
        connection.execute(statements.FIND, (sid, record.kind, record.id)).fetchone()
        for record in records
    ]
    return [row[0] if row else 0 for row in rows]


def id_list(ids: Iterable[str]) -> str:
    """Any number of ids as one parameter."""
    return json.dumps(list(ids), ensure_ascii=False)
