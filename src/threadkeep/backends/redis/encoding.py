"""From the protocol's values to arguments of the scripts, and back."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from itertools import count, repeat
from operator import attrgetter
from typing import Any, Final

from threadkeep.backends.redis import resp
from threadkeep.types import Drop, Keep, Query, Record, Ttl
from threadkeep.types.versions import reach

_LAST: Final = 10**15 - 1
"""The largest seq that the index can hold."""

_key = attrgetter("kind", "id")
_new = object.__new__
_kind, _id, _body, _at, _expires, _seq_of = (
    getattr(Record, name).__set__ for name in ("kind", "id", "body", "at", "expires", "seq")
)

Argument = str | int | float | bytes
Reply = Any


def commit(
    put: Sequence[Record],
    drop: Sequence[Drop],
    ttl: Ttl,
    expect: int | None,
    token: str | None,
    now: float,
) -> list[Argument]:
    """The arguments of `commit.lua`; a token is marked, since it might be empty."""
    unique = {_key(record): record for record in put}.values()
    args: list[Argument] = [
        repr(float(now)),
        _life(ttl, now),
        "" if expect is None else expect,
        0 if expect is None else reach(expect),
        "" if token is None else f"={token}",
        secrets.randbits(32) << 20 | 1,
        int(any(record.expires is not None for record in unique)),
        resp.names(unique) if put else "",
        len(drop),
    ]
    for kind, ids, upto in drop:
        args += ("" if kind is None else kind, _seq(upto), -1 if ids is None else len(ids))
        args += ids or ()
    args += resp.values(unique)
    return args


def seqs(put: Sequence[Record], told: Sequence[int]) -> list[int]:
    """The seqs of all records, out of what `commit.lua` says of the unique ones."""
    if not put:
        return []
    base, known = told[0], dict(zip(told[1::2], told[2::2], strict=True))
    unique = dict.fromkeys(map(_key, put))
    if not known and len(unique) == len(put) and base >= 0:
        return list(range(base + 1, base + 1 + len(put)))
    new = count(base + 1) if base >= 0 else repeat(0)
    found = {key: known.get(n) or next(new) for n, key in enumerate(unique)}
    return [found[_key(record)] for record in put]


def _life(ttl: Ttl, now: float) -> str:
    if isinstance(ttl, Keep):
        return "keep"
    return "" if ttl is None else repr(float(now + ttl))


def _seq(seq: int | None) -> str:
    return "" if seq is None else f"{min(max(seq, 0), _LAST):015}"


def read(queries: Iterable[Query], now: float) -> list[Argument]:
    """The arguments of `read.lua`, for queries of one stream."""
    args: list[Argument] = [repr(float(now))]
    for query in queries:
        limit = -1 if query.limit is None else query.limit
        args += (query.kind, limit, int(query.newest), _seq(query.after), _seq(query.before))
        ids = None if query.ids is None else list(dict.fromkeys(query.ids))
        args += (-1,) if ids is None else (len(ids), *ids)
    return args


def records(query: Query, told: Sequence[bytes | str]) -> list[Record]:
    """The records of one query's answer: their ids, then their values."""
    if len(told) < 2:
        return []
    ids = text(told[0]).split("\0")
    found = [_record(query.kind, id, text(value)) for id, value in zip(ids, told[1:], strict=True)]
    return found[::-1] if query.newest else found


def _record(kind: str, id: str, value: str) -> Record:
    """As `Record(...)`, in half the time: this is where a read spends most of its own."""
    seq, at, expires, body = value.split("|", 3)
    record = _new(Record)
    _kind(record, kind)
    _id(record, id)
    _body(record, body)
    _at(record, float(at))
    _expires(record, float(expires) if expires else None)
    _seq_of(record, int(seq))
    return record


def text(value: bytes | str) -> str:
    """What the server said; clients of the application's own may have decoded it already."""
    return value if isinstance(value, str) else value.decode(errors="replace")
