"""Encodes protocol values as script arguments, and decodes the scripts' replies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count, repeat
from operator import attrgetter
from typing import Any, Final

from threadkeep.backends.common.commit import Change, first_version
from threadkeep.backends.redis import resp
from threadkeep.types import Keep, Query, Record, Ttl
from threadkeep.types.versions import allowed_advance

_MAX_SEQ: Final = 10**15 - 1
"""The largest seq that the index can hold: fifteen digits."""

_key = attrgetter("kind", "id")
_new = object.__new__
_kind, _id, _body, _at, _expires, _seq_of = (
    getattr(Record, name).__set__ for name in ("kind", "id", "body", "at", "expires", "seq")
)

Argument = str | int | float | bytes
Reply = Any


def commit_args(change: Change) -> list[Argument]:
    """The arguments of `commit.lua`; a token gets a `=` prefix, since it may be empty."""
    _, put, drop, ttl, expect, token, now, _ = change
    unique = {_key(record): record for record in put}.values()
    args: list[Argument] = [
        repr(float(now)),
        _expiry(ttl, now),
        "" if expect is None else expect,
        0 if expect is None else allowed_advance(expect),
        "" if token is None else f"={token}",
        first_version(),
        int(any(record.expires is not None for record in unique)),
        resp.pack_keys(unique) if put else "",
        len(drop),
    ]
    for kind, ids, upto in drop:
        args += ("" if kind is None else kind, _seq_text(upto), -1 if ids is None else len(ids))
        args += ids or ()
    args += resp.pack_values(unique)
    return args


def decode_seqs(put: Sequence[Record], reply: Sequence[int]) -> list[int]:
    """The seqs of all records in `put`, from the reply of `commit.lua` for the unique ones."""
    if not put:
        return []
    base, existing = reply[0], dict(zip(reply[1::2], reply[2::2], strict=True))
    unique = dict.fromkeys(map(_key, put))
    if not existing and len(unique) == len(put) and base >= 0:
        return list(range(base + 1, base + 1 + len(put)))
    new = count(base + 1) if base >= 0 else repeat(0)
    assigned = {key: existing.get(n) or next(new) for n, key in enumerate(unique)}
    return [assigned[_key(record)] for record in put]


def _expiry(ttl: Ttl, now: float) -> str:
    if isinstance(ttl, Keep):
        return "keep"
    return "" if ttl is None else " ".join(map(repr, (float(now + ttl), float(ttl))))


def _seq_text(seq: int | None) -> str:
    return "" if seq is None else f"{min(max(seq, 0), _MAX_SEQ):015}"


def read_args(queries: Iterable[Query], now: float) -> list[Argument]:
    """The arguments of `read.lua`, for queries of one stream."""
    args: list[Argument] = [repr(float(now))]
    for query in queries:
        limit = -1 if query.limit is None else query.limit
        args += (
            query.kind,
            limit,
            int(query.newest),
            _seq_text(query.after),
            _seq_text(query.before),
        )
        ids = None if query.ids is None else list(dict.fromkeys(query.ids))
        args += (-1,) if ids is None else (len(ids), *ids)
    return args


def decode_records(query: Query, reply: Sequence[bytes | str]) -> list[Record]:
    """Decode one query's reply, the ids and then the values, to records."""
    if len(reply) < 2:
        return []
    ids = decode_text(reply[0]).split("\0")
    decoded = [
        _record(query.kind, id, decode_text(value))
        for id, value in zip(ids, reply[1:], strict=True)
    ]
    return decoded[::-1] if query.newest else decoded


def _record(kind: str, id: str, value: str) -> Record:
    """Like `Record(...)` in half the time: reads spend most of their client time here."""
    seq, at, expires, body = value.split("|", 3)
    record = _new(Record)
    _kind(record, kind)
    _id(record, id)
    _body(record, body)
    _at(record, float(at))
    _expires(record, float(expires) if expires else None)
    _seq_of(record, int(seq))
    return record


def decode_text(value: bytes | str) -> str:
    """Decode a reply, unless the application's own client already did."""
    return value if isinstance(value, str) else value.decode(errors="replace")
