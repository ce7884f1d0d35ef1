"""From the protocol's values to arguments of the scripts, and back."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final

from threadkeep.types import Drop, Keep, Query, Record, Ttl

_LAST: Final = 10**15 - 1
"""The largest seq that the index can hold."""

_new = object.__new__
_kind, _id, _body, _at, _expires, _seq_of = (
    getattr(Record, name).__set__ for name in ("kind", "id", "body", "at", "expires", "seq")
)

Argument = str | int | float
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
    args: list[Argument] = [
        repr(float(now)),
        _life(ttl, now),
        "" if expect is None else expect,
        "" if token is None else f"={token}",
        secrets.randbits(32) << 20 | 1,
        len(drop),
    ]
    for kind, ids, upto in drop:
        args += ("" if kind is None else kind, _seq(upto), -1 if ids is None else len(ids))
        args += ids or ()
    for record in put:
        expires = "" if record.expires is None else repr(float(record.expires))
        args += (record.kind, record.id, repr(float(record.at)), expires, record.body)
    return args


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


def records(query: Query, joined: bytes | str) -> list[Record]:
    """The records of one query's answer: ids and values in turn."""
    if not joined:
        return []
    texts = text(joined).split("\0")
    pairs = zip(texts[::2], texts[1::2], strict=True)
    found = [_record(query.kind, id, value) for id, value in pairs]
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
