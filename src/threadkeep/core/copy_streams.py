"""Copies whole streams from one store to another, in order, and compares them afterwards.

Works on backends, so it copies every kind of record.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, zip_longest
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from threadkeep.core import store_record
from threadkeep.errors import Conflict, CorruptRecord
from threadkeep.protocols import Backend
from threadkeep.types import Query, Record
from threadkeep.types.batching import batches
from threadkeep.types.record_kinds import KINDS

Outcome = Literal["copied", "there", "empty", "differs", "lost", "unreadable"]
_PAGE: Final = 500
_SEQ: Final = attrgetter("seq")
_WITHOUT_TTL: Final = frozenset({"user", "keyring"})


class CopyResult(NamedTuple):
    """The outcome of copying a stream.

    Attributes:
        stream: its name.
        outcome: `copied`, and compared; `there`: all of it was there before; `differs`: something
            else is there, and was left as it is; `lost`: the target does not give back what it
            took, or the source changed meanwhile; `unreadable`: a record of it cannot be read;
            `empty`: it has no live record.
        records: the number of records written.
    """

    stream: str
    outcome: Outcome
    records: int = 0


class _Comparison(NamedTuple):
    """How far two streams agree from their beginning."""

    same: int
    remaining: list[Record]  # the first record that only the source has, if the target ended there
    differs: bool


def stream_names(backend: Backend, prefix: str = "") -> list[str]:
    """The sorted names of all streams to copy: none of `store` records, none of a kept index.

    An index names seqs and versions of its own store; the target's is built anew.
    """
    all_names: set[str] = set()
    cursor = None
    while True:
        page_names, cursor = backend.streams(prefix, cursor=cursor)
        all_names.update(page_names)
        if cursor is None:
            return sorted(stream_name for stream_name in all_names if _is_copied(stream_name))


def _is_copied(stream: str) -> bool:
    return not store_record.is_store_stream(stream) and _noun(stream) != "recall"


def copy(
    source: Backend,
    target: Backend,
    names: Iterable[str],
    *,
    ttl: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[CopyResult]:
    """Copy streams; yields the outcome of each.

    Nothing in the target is changed or removed. An interrupted copy resumes where it ended: the
    target's records of a stream must be the first ones of the source's.

    Args:
        source: the store to read.
        target: the store to write what it lacks.
        names: of the streams.
        ttl: seconds that a copied stream lives from now, since backends do not tell the
            remaining time; a user's long-term stream never expires.
        clock: epoch seconds.

    Raises:
        WrongKey: one of the two is encrypted, and the other is not or in another way; nothing of
            that namespace was written.
    """
    prepared_names: set[str] = set()
    for stream_name in names:
        store_stream_name = store_record.store_stream(stream_name)
        if store_stream_name not in prepared_names:
            _copy_store_record(source, target, store_stream_name, clock())
            prepared_names.add(store_stream_name)
        try:
            yield _copy_stream(source, target, stream_name, ttl, clock())
        except CorruptRecord:
            yield CopyResult(stream_name, "unreadable")


def _copy_store_record(source: Backend, target: Backend, store_stream: str, now: float) -> None:
    """Make the target's namespace plain or encrypted like the source's, with its keyring."""
    source_state, target_state = (
        store_record.read(backend, store_stream, now) for backend in (source, target)
    )
    if not source_state.encrypted:
        store_record.claim(target, store_stream, now)
        return
    if target_state.is_absent:
        if not store_record.in_use(target, store_stream, now):
            _copy_stream(source, target, store_stream, None, now)
        # another copy may have come first
        target_state = store_record.read(target, store_stream, now)
    is_same_encryption = target_state.encrypted and (
        target_state.mode == source_state.mode
        if source_state.mode
        else _body(source_state) == _body(target_state)
    )
    if not is_same_encryption:
        raise store_record.missing_key(store_stream)


def _body(state: store_record.StoreState) -> str | None:
    return None if state.keyring is None else state.keyring.body


def _copy_stream(
    source: Backend, target: Backend, stream: str, ttl: float | None, now: float
) -> CopyResult:
    (target_page,) = target.read(Query(stream, KINDS[0], limit=0), now=now)  # before its records
    source_records, target_records = records(source, stream, now), records(target, stream, now)
    comparison = _compare(source_records, target_records)
    if comparison.differs:
        return CopyResult(stream, "differs")
    if not comparison.remaining:
        return CopyResult(stream, "there" if comparison.same else "empty")
    stream_ttl = None if _noun(stream) in _WITHOUT_TTL else ttl
    try:
        written_count = _write(
            target,
            stream,
            chain(comparison.remaining, source_records),
            target_page.version,
            stream_ttl,
            now,
        )
    except Conflict:  # another writer
        return CopyResult(stream, "differs")
    final_comparison = _compare(records(source, stream, now), records(target, stream, now))
    is_complete = (
        not final_comparison.differs
        and not final_comparison.remaining
        and final_comparison.same == comparison.same + written_count
    )
    return CopyResult(stream, "copied" if is_complete else "lost", written_count)


def records(backend: Backend, stream: str, now: float) -> Iterator[Record]:
    """All records of a stream, of every kind, in order; one round trip for most streams."""
    pages = backend.read(*(Query(stream, kind, _PAGE) for kind in KINDS), now=now)
    record_iterators = [
        _records_of_kind(backend, stream, kind, page.records, now)
        for kind, page in zip(KINDS, pages, strict=True)
    ]
    return heapq.merge(*record_iterators, key=_SEQ)


def _records_of_kind(
    backend: Backend, stream: str, kind: str, records: list[Record], now: float
) -> Iterator[Record]:
    while True:
        yield from records
        if len(records) < _PAGE:
            return
        next_query = Query(stream, kind, _PAGE, after=records[-1].seq)
        records = backend.read(next_query, now=now)[0].records


def _compare(source_records: Iterator[Record], target_records: Iterator[Record]) -> _Comparison:
    """Compare until one stream ends; `remaining` has the record read of the longer source."""
    same_count = 0
    for source_record, target_record in zip_longest(source_records, target_records):
        if target_record is None:
            return _Comparison(same_count, [source_record], differs=False)
        if source_record is None:
            return _Comparison(same_count, [], differs=False)  # the target has more
        if not _is_same_record(source_record, target_record):
            return _Comparison(same_count, [], differs=True)
        same_count += 1
    return _Comparison(same_count, [], differs=False)


def _is_same_record(first: Record, second: Record) -> bool:
    return (
        (first.kind, first.id, first.body) == (second.kind, second.id, second.body)
        and _is_same_time(first.at, second.at)
        and _is_same_time(first.expires, second.expires)
    )


def _is_same_time(first: float | None, second: float | None) -> bool:
    """Compare to the microsecond, the precision of the stores."""
    if first is None or second is None:
        return first is second
    return abs(first - second) < 2e-6


def _write(
    target: Backend,
    stream: str,
    records: Iterable[Record],
    version: int,
    ttl: float | None,
    now: float,
) -> int:
    written_count = 0
    for record_batch in batches(records):
        commit = target.commit(stream, put=record_batch, ttl=ttl, expect=version, now=now)
        version = commit.version
        written_count += len(record_batch)
    return written_count


def _noun(stream: str) -> str:
    """The noun of a stream: the second part of its name."""
    return stream.partition("/")[2].partition("/")[0]
