"""Whole streams from one store to another: in order, record by record, and compared afterwards.

Works on backends alone, and so carries every kind of record.
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
_ENDLESS: Final = frozenset({"user", "keyring"})


class Copied(NamedTuple):
    """What became of a stream.

    Attributes:
        stream: its name.
        outcome: `copied`, and compared; `there`: all of it was there before; `differs`: something
            else is there, and was left as it is; `lost`: the target does not give back what it
            took, or the source changed meanwhile; `unreadable`: a record of it cannot be read;
            `empty`: it has no record that lives.
        records: how many were written.
    """

    stream: str
    outcome: Outcome
    records: int = 0


class _Seen(NamedTuple):
    """How far two streams agree: the same records, in the same order, from the beginning."""

    same: int
    left: list[Record]  # the first that only the source has, where the target came to its end
    differs: bool


def streams(backend: Backend, prefix: str = "") -> list[str]:
    """The names of all streams, each once, in order; but those that say how a store is kept."""
    found: set[str] = set()
    cursor = None
    while True:
        names, cursor = backend.streams(prefix, cursor=cursor)
        found.update(names)
        if cursor is None:
            return sorted(name for name in found if not store_record.is_home(name))


def copy(
    source: Backend,
    target: Backend,
    names: Iterable[str],
    *,
    ttl: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Copied]:
    """Copy streams; yields what became of each.

    Nothing that is in the target is changed or removed. A copy that was broken off goes on where
    it ended: what the target has of a stream must be how the source's begins.

    Args:
        source: is only read.
        target: takes what it does not have.
        names: of the streams.
        ttl: seconds that a copied stream lives from now, as backends cannot be asked how long
            theirs live; a user's own never end.
        clock: epoch seconds.

    Raises:
        WrongKey: one of the two is encrypted, and the other is not or in another way; nothing of
            that namespace was written.
    """
    agreed: set[str] = set()
    for name in names:
        home = store_record.home(name)
        if home not in agreed:
            _agree(source, target, home, clock())
            agreed.add(home)
        try:
            yield _stream(source, target, name, ttl, clock())
        except CorruptRecord:
            yield Copied(name, "unreadable")


def _agree(source: Backend, target: Backend, home: str, now: float) -> None:
    """Have the target's namespace kept as the source's is; an encrypted one with its keyring."""
    mine, theirs = (store_record.read(backend, home, now) for backend in (source, target))
    if not mine.encrypted:
        store_record.claim(target, home, now)
        return
    if theirs.absent and not store_record.in_use(target, home, now):
        _stream(source, target, home, None, now)
        theirs = store_record.read(target, home, now)
    same = theirs.encrypted and (
        theirs.mode == mine.mode if mine.mode else _body(mine) == _body(theirs)
    )
    if not same:
        raise store_record.keyless(home)


def _body(state: store_record.State) -> str | None:
    return None if state.keyring is None else state.keyring.body


def _stream(source: Backend, target: Backend, name: str, ttl: float | None, now: float) -> Copied:
    version = target.read(Query(name, KINDS[0], limit=0), now=now)[0].version  # before its records
    mine, theirs = records(source, name, now), records(target, name, now)
    before = _compared(mine, theirs)
    if before.differs:
        return Copied(name, "differs")
    if not before.left:
        return Copied(name, "there" if before.same else "empty")
    life = None if _noun(name) in _ENDLESS else ttl
    try:
        written = _write(target, name, chain(before.left, mine), version, life, now)
    except Conflict:  # somebody else writes there
        return Copied(name, "differs")
    after = _compared(records(source, name, now), records(target, name, now))
    whole = not after.differs and not after.left and after.same == before.same + written
    return Copied(name, "copied" if whole else "lost", written)


def records(backend: Backend, stream: str, now: float) -> Iterator[Record]:
    """All records of a stream, of whatever kind, in the stream's order; most are one round trip."""
    pages = backend.read(*(Query(stream, kind, _PAGE) for kind in KINDS), now=now)
    kinds = zip(KINDS, pages, strict=True)
    runs = (_of_kind(backend, stream, kind, page.records, now) for kind, page in kinds)
    return heapq.merge(*runs, key=_SEQ)


def _of_kind(
    backend: Backend, stream: str, kind: str, first: list[Record], now: float
) -> Iterator[Record]:
    page = first
    while True:
        yield from page
        if len(page) < _PAGE:
            return
        query = Query(stream, kind, _PAGE, after=page[-1].seq)
        page = backend.read(query, now=now)[0].records


def _compared(mine: Iterator[Record], theirs: Iterator[Record]) -> _Seen:
    """Compare until one ends; what was taken of `mine` and is not in `theirs` is in `left`."""
    same = 0
    for one, other in zip_longest(mine, theirs):
        if other is None:
            return _Seen(same, [one], differs=False)
        if one is None:
            return _Seen(same, [], differs=False)  # the target went on by itself
        if not _alike(one, other):
            return _Seen(same, [], differs=True)
        same += 1
    return _Seen(same, [], differs=False)


def _alike(one: Record, other: Record) -> bool:
    return (
        (one.kind, one.id, one.body) == (other.kind, other.id, other.body)
        and _same_moment(one.at, other.at)
        and _same_moment(one.expires, other.expires)
    )


def _same_moment(one: float | None, other: float | None) -> bool:
    """To the microsecond, which is what stores keep."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < 2e-6


def _write(
    target: Backend,
    name: str,
    records: Iterable[Record],
    version: int,
    ttl: float | None,
    now: float,
) -> int:
    written = 0
    for batch in batches(records):
        done = target.commit(name, put=batch, ttl=ttl, expect=version, now=now)
        version = done.version
        written += len(batch)
    return written


def _noun(stream: str) -> str:
    """What a stream is of: the second part of its name."""
    return stream.partition("/")[2].partition("/")[0]
