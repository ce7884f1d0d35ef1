"""One commit on an open write transaction: the lock is held, so what is read here stays true."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from threadkeep.backends.sqlite import statements
from threadkeep.backends.sqlite.head_cache import Heads, Place
from threadkeep.errors import Conflict
from threadkeep.types import Commit, Drop, Keep, Record, Ttl
from threadkeep.types.versions import matches

Row = tuple[int, str, int, str, str, float, float | None]
"""Of tk_record: sid, kind, seq, id, body, at, expires."""

LAST: Final = 2**63 - 1
"""The largest seq that SQLite can hold: "no upper bound"."""


class Head(NamedTuple):
    """A row of tk_stream."""

    sid: int
    version: int
    seq: int
    expires: float | None
    token: str | None
    token_version: int | None


def apply(
    connection: sqlite3.Connection,
    heads: Heads,
    stream: str,
    put: Sequence[Record],
    drop: Sequence[Drop],
    ttl: Ttl,
    expect: int | None,
    token: str | None,
    now: float,
) -> Commit:
    """What `Backend.commit` promises, but for the transaction around it."""
    if put and not drop:
        done = _gone_on(connection, heads, stream, put, ttl, expect, token, now)
        if done:
            return done
    row = connection.execute(statements.HEAD, (stream,)).fetchone()
    head = Head._make(row) if row else None
    live = head if head and (head.expires is None or head.expires > now) else None
    if live and token is not None and live.token == token:
        return Commit(live.token_version or 0, _places(connection, live.sid, put))
    version = live.version if live else 0
    if not matches(expect, version):
        raise _conflict(stream, expect, version)
    if live is None and not put:
        return Commit(0, [])
    expires = _expires(live, ttl, now)
    if live and not put and not drop:
        return _touch(connection, live, expires)
    if head and (live is None or any(one.kind is None for one in drop)):
        connection.execute(statements.DROP_ALL, (head.sid,))
        live = None
        if not put:
            connection.execute(statements.END_LIFE, (head.sid,))
            return Commit(0, [])
    elif live:
        _drop(connection, live.sid, drop)
        heads.note(stream, Place(live.sid, version + 1, live.seq + len(put)))
    return _put(connection, stream, head, live, put, expires, token, now)


def _gone_on(
    connection: sqlite3.Connection,
    heads: Heads,
    stream: str,
    put: Sequence[Record],
    ttl: Ttl,
    expect: int | None,
    token: str | None,
    now: float,
) -> Commit | None:
    """The commit, if the stream is where it was left; then nobody needs to look where it is."""
    if token is None or isinstance(ttl, Keep):
        return None
    place = heads.go_on(connection, stream, len(put), expect, _expires(None, ttl, now), token, now)
    if place is None:
        return None
    return Commit(place.version + 1, _put_records(connection, place.sid, place.seq, put, now))


def _expires(live: Head | None, ttl: Ttl, now: float) -> float | None:
    if isinstance(ttl, Keep):
        return live.expires if live else None
    return None if ttl is None else now + ttl


def _touch(connection: sqlite3.Connection, live: Head, expires: float | None) -> Commit:
    if expires != live.expires:
        connection.execute(statements.TOUCH, (expires, live.sid))
    return Commit(live.version, [])


def _drop(connection: sqlite3.Connection, sid: int, drop: Sequence[Drop]) -> None:
    for kind, ids, upto in drop:
        last = LAST if upto is None else upto
        if ids is None:
            connection.execute(statements.DROP_RANGE, (sid, kind, last))
        else:
            connection.execute(statements.DROP_IDS, (sid, kind, last, id_list(ids)))


def _put(
    connection: sqlite3.Connection,
    stream: str,
    head: Head | None,
    live: Head | None,
    put: Sequence[Record],
    expires: float | None,
    token: str | None,
    now: float,
) -> Commit:
    """Write the head, then the records; `live=None` begins a life, over the dead row if any."""
    version = live.version + 1 if live else secrets.randbits(32) << 20 | 1
    base = head.seq if head else 0
    if token is not None:
        kept: tuple[str | None, int | None] = (token, version)
    else:
        kept = (live.token, live.token_version) if live else (None, None)
    if head:
        sid = head.sid
        connection.execute(statements.GO_ON, (version, base + len(put), expires, *kept, sid))
    else:
        begun = connection.execute(
            statements.BEGIN_LIFE, (stream, version, base + len(put), expires, *kept)
        )
        sid = begun.lastrowid or 0
    return Commit(version, _put_records(connection, sid, base, put, now) if put else [])


def _put_records(
    connection: sqlite3.Connection, sid: int, base: int, put: Sequence[Record], now: float
) -> list[int]:
    """Nearly always all ids are new, which the count of inserted rows proves."""
    rows = [
        (sid, record.kind, seq, record.id, record.body, record.at, record.expires)
        for seq, record in enumerate(put, base + 1)
    ]
    if _insert(connection, rows) == len(rows):
        return list(range(base + 1, base + len(rows) + 1))
    last = {(row[1], row[3]): row for row in rows}  # of an id that comes twice the last body wins
    seqs = {key: _put_again(connection, row, now) for key, row in last.items()}
    return [seqs[row[1], row[3]] for row in rows]


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """Insert the rows whose ids are new; return how many they were."""
    if len(rows) <= statements.FEW:
        flat = tuple(chain.from_iterable(rows))
        return connection.execute(statements.PUT_FEW[len(rows)], flat).rowcount
    return connection.executemany(statements.PUT_ONE, rows).rowcount


def _put_again(connection: sqlite3.Connection, row: Row, now: float) -> int:
    """Give a known id its new body, unless the row is there already; return its seq."""
    sid, kind, seq, id, body, at, expires = row
    place, end = connection.execute(statements.FIND, (sid, kind, id)).fetchone()
    if place == seq:
        return seq
    if end is not None and end <= now:
        connection.execute(statements.REMOVE, (sid, kind, place))
        connection.execute(statements.PUT_ONE, row)
        return seq
    connection.execute(statements.REPLACE, (body, at, expires, sid, kind, place))
    return int(place)


def _places(connection: sqlite3.Connection, sid: int, put: Iterable[Record]) -> list[int]:
    """Where records are now; 0 for one that was dropped since."""
    keys = ((sid, record.kind, record.id) for record in put)
    found = (connection.execute(statements.FIND, key).fetchone() for key in keys)
    return [row[0] if row else 0 for row in found]


def _conflict(stream: str, expect: int | None, current: int) -> Conflict:
    return Conflict(
        f"stream {stream!r} is at version {current}, not {expect}: "
        "read it again and repeat the change",
        current=current,
    )


def id_list(ids: Iterable[str]) -> str:
    """Any number of ids as one parameter."""
    return json.dumps(list(ids), ensure_ascii=False)
