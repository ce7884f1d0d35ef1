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
    _, put_records, drops, ttl, expected_version, commit_token, now, _ = change
    unique_records = {_key(record): record for record in put_records}.values()
    script_args: list[Argument] = [
        repr(float(now)),
        _expiry(ttl, now),
        "" if expected_version is None else expected_version,
        0 if expected_version is None else allowed_advance(expected_version),
        "" if commit_token is None else f"={commit_token}",
        first_version(),
        int(any(record.expires is not None for record in unique_records)),
        resp.pack_keys(unique_records) if put_records else "",
        len(drops),
    ]
    for kind, dropped_ids, max_seq in drops:
        script_args += (
            "" if kind is None else kind,
            _seq_text(max_seq),
            -1 if dropped_ids is None else len(dropped_ids),
        )
        script_args += dropped_ids or ()
    script_args += resp.pack_values(unique_records)
    return script_args


def decode_seqs(put: Sequence[Record], reply: Sequence[int]) -> list[int]:
    """The seqs of all records in `put`, from the reply of `commit.lua` for the unique ones."""
    if not put:
        return []
    base_seq, existing_seq_by_index = reply[0], dict(zip(reply[1::2], reply[2::2], strict=True))
    unique_keys = dict.fromkeys(map(_key, put))
    if not existing_seq_by_index and len(unique_keys) == len(put) and base_seq >= 0:
        return list(range(base_seq + 1, base_seq + 1 + len(put)))
    new_seqs = count(base_seq + 1) if base_seq >= 0 else repeat(0)
    seq_by_key = {
        record_key: existing_seq_by_index.get(key_index) or next(new_seqs)
        for key_index, record_key in enumerate(unique_keys)
    }
    return [seq_by_key[_key(record)] for record in put]


def _expiry(ttl: Ttl, now: float) -> str:
    if isinstance(ttl, Keep):
        return "keep"
    return "" if ttl is None else " ".join(map(repr, (float(now + ttl), float(ttl))))


def _seq_text(seq: int | None) -> str:
    return "" if seq is None else f"{min(max(seq, 0), _MAX_SEQ):015}"


def read_args(queries: Iterable[Query], now: float) -> list[Argument]:
    """The arguments of `read.lua`, for queries of one stream."""
    script_args: list[Argument] = [repr(float(now))]
    for query in queries:
        record_limit = -1 if query.limit is None else query.limit
        script_args += (
            query.kind,
            record_limit,
            int(query.newest),
            _seq_text(query.after),
            _seq_text(query.before),
        )
        unique_ids = None if query.ids is None else list(dict.fromkeys(query.ids))
        script_args += (-1,) if unique_ids is None else (len(unique_ids), *unique_ids)
    return script_args


def decode_records(query: Query, reply: Sequence[bytes | str]) -> list[Record]:
    """Decode one query's reply, the ids and then the values, to records."""
    if len(reply) < 2:
        return []
    record_ids = decode_text(reply[0]).split("\0")
    decoded_records = [
        _record(query.kind, record_id, decode_text(encoded_value))
        for record_id, encoded_value in zip(record_ids, reply[1:], strict=True)
    ]
    return decoded_records[::-1] if query.newest else decoded_records


def _record(kind: str, id: str, value: str) -> Record:
    """Like `Record(...)` in half the time: reads spend most of their client time here."""
    seq_text, at_text, expires_text, record_body = value.split("|", 3)
    record = _new(Record)
    _kind(record, kind)
    _id(record, id)
    _body(record, record_body)
    _at(record, float(at_text))
    _expires(record, float(expires_text) if expires_text else None)
    _seq_of(record, int(seq_text))
    return record


def decode_text(value: bytes | str) -> str:
    """Decode a reply, unless the application's own client already did."""
    return value if isinstance(value, str) else value.decode(errors="replace")
