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
    stream_columns = connection.execute(statements.HEAD, (change.stream,)).fetchone()
    stream_row = Row._make(stream_columns) if stream_columns else None
    decision = decide(stream_row.head if stream_row else None, change)
    action = decision.action
    if action is Action.CREATE:
        if stream_row:
            connection.execute(statements.DROP_ALL, (stream_row.sid,))
        return _write(connection, stream_row, decision, change)
    if stream_row is None or action is Action.IGNORE:
        return Commit(0, [])
    if action is Action.REPLAY:
        return Commit(decision.version, _seqs(connection, stream_row.sid, change.put))
    if action is Action.TOUCH:
        return _touch(connection, stream_row, decision)
    if action is Action.END:
        connection.execute(statements.DROP_ALL, (stream_row.sid,))
        connection.execute(statements.END_LIFE, (stream_row.sid,))
        return Commit(0, [])
    _drop(connection, stream_row.sid, change.drop)
    heads.note(
        change.stream,
        StreamPosition(stream_row.sid, decision.version, stream_row.seq + len(change.put)),
    )
    return _write(connection, stream_row, decision, change)


def _continue_from_cache(
    connection: sqlite3.Connection, heads: Heads, change: Change
) -> Commit | None:
    """The commit, if the stream is where it was left; then its row need not be looked for."""
    stream, put_records, _, ttl, expected_version, commit_token, now, _ = change
    if commit_token is None or isinstance(ttl, Keep):
        return None
    lifetime = lifetime_after(ttl, now, None)
    stream_position = heads.advance(
        connection, stream, len(put_records), expected_version, lifetime, commit_token, now
    )
    if stream_position is None:
        return None
    return Commit(
        stream_position.version + 1,
        _put_records(connection, stream_position.sid, stream_position.seq, put_records, now),
    )


def _touch(connection: sqlite3.Connection, row: Row, decision: Decision) -> Commit:
    if (decision.expires, decision.ttl) != (row.expires, row.ttl):
        connection.execute(statements.TOUCH, (decision.expires, decision.ttl, row.sid))
    return Commit(decision.version, [])


def _drop(connection: sqlite3.Connection, sid: int, drop: Sequence[Drop]) -> None:
    for kind, dropped_ids, given_max_seq in drop:
        max_seq = LAST if given_max_seq is None else given_max_seq
        if dropped_ids is None:
            connection.execute(statements.DROP_RANGE, (sid, kind, max_seq))
        else:
            connection.execute(statements.DROP_IDS, (sid, kind, max_seq, id_list(dropped_ids)))


def _write(
    connection: sqlite3.Connection, row: Row | None, decision: Decision, change: Change
) -> Commit:
    """Write the row, then the records; seqs go on from those of the generation before."""
    base_seq = row.seq if row else 0
    _, version, expires, ttl, token, token_version = decision
    stream_columns = (version, base_seq + len(change.put), expires, ttl, token, token_version)
    if row:
        sid = row.sid
        connection.execute(statements.ADVANCE, (*stream_columns, sid))
    else:
        sid = (
            connection.execute(statements.BEGIN_LIFE, (change.stream, *stream_columns)).lastrowid
            or 0
        )
    put_seqs = _put_records(connection, sid, base_seq, change.put, change.now) if change.put else []
    return Commit(version, put_seqs)


def _put_records(
    connection: sqlite3.Connection, sid: int, base: int, put: Sequence[Record], now: float
) -> list[int]:
    """Nearly always all ids are new, which the count of inserted rows proves."""
    record_rows = [
        (sid, record.kind, record_seq, record.id, record.body, record.at, record.expires)
        for record_seq, record in enumerate(put, base + 1)
    ]
    if _insert(connection, record_rows) == len(record_rows):
        return list(range(base + 1, base + len(record_rows) + 1))
    # An id that comes twice stands where it came first, with the body that came last.
    first_seq_by_key = {(row[1], row[3]): row[2] for row in reversed(record_rows)}
    last_row_by_key = {(record_row[1], record_row[3]): record_row for record_row in record_rows}
    seq_by_key = {
        record_key: _put_again(connection, record_row, first_seq_by_key[record_key], now)
        for record_key, record_row in last_row_by_key.items()
    }
    return [seq_by_key[record_row[1], record_row[3]] for record_row in record_rows]


def _insert(connection: sqlite3.Connection, rows: Sequence[RecordRow]) -> int:
    """Insert the rows whose ids are new; return how many they were."""
    if len(rows) <= statements.FEW:
        row_values = tuple(chain.from_iterable(rows))
        return connection.execute(statements.PUT_FEW[len(rows)], row_values).rowcount
    return connection.executemany(statements.PUT_ONE, rows).rowcount


def _put_again(connection: sqlite3.Connection, row: RecordRow, first: int, now: float) -> int:
    """Give a known id its new body, unless the row is there already; return its seq.

    An expired record gives way to a new one, at `first`.
    """
    sid, kind, seq, record_id, record_body, written_at, expires = row
    stored_seq, stored_expiry = connection.execute(
        statements.FIND, (sid, kind, record_id)
    ).fetchone()
    if stored_seq == seq:
        return seq
    if stored_seq != first and stored_expiry is not None and stored_expiry <= now:
        connection.execute(statements.REMOVE, (sid, kind, stored_seq))
        connection.execute(
            statements.PUT_ONE, (sid, kind, first, record_id, record_body, written_at, expires)
        )
        return first
    connection.execute(
        statements.REPLACE, (record_body, written_at, expires, sid, kind, stored_seq)
    )
    return int(stored_seq)


def _seqs(connection: sqlite3.Connection, sid: int, put: Iterable[Record]) -> list[int]:
    """Where records are now; 0 for one that was dropped since."""
    seq_rows = [
        connection.execute(statements.FIND, (sid, record.kind, record.id)).fetchone()
        for record in put
    ]
    return [seq_row[0] if seq_row else 0 for seq_row in seq_rows]


def id_list(ids: Iterable[str]) -> str:
    """Any number of ids as one parameter."""
    return json.dumps(list(ids), ensure_ascii=False)
