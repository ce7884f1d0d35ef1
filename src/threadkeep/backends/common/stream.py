"""One life of a stream, in plain Python: no lock, no policy. For stores that hold it whole."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter

from threadkeep.backends.common.commit import Change, Decision, Head
from threadkeep.types import Drop, Query, Record

_SEQ = attrgetter("seq")


@dataclass(slots=True)
class _Kind:
    """The records of one kind, by id and in the order of their seqs."""

    ids: dict[str, Record] = field(default_factory=dict)
    order: list[Record] = field(default_factory=list)

    def put(self, record: Record) -> None:
        self.ids[record.id] = record
        place = bisect_left(self.order, record.seq, key=_SEQ)
        self.order[place : place + 1] = [record]

    def remove(self, doomed: Iterable[Record]) -> int:
        ids = {record.id for record in doomed}
        if len(ids) == 1:
            del self.order[bisect_left(self.order, self.ids[next(iter(ids))].seq, key=_SEQ)]
        elif ids:
            self.order = [record for record in self.order if record.id not in ids]
        for one in ids:
            del self.ids[one]
        return len(ids)


@dataclass(slots=True)
class Stream:
    """One life of a stream."""

    version: int
    seq: int = 0
    expires: float | None = None
    token: str | None = None
    token_version: int | None = None
    kinds: dict[str, _Kind] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        """What a commit depends on."""
        return Head(self.version, self.expires, self.token, self.token_version)

    def dead(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def select(self, query: Query, now: float) -> list[Record]:
        kind = self.kinds.get(query.kind)
        if kind is None:
            return []
        rows = kind.order if query.ids is None else _by_ids(kind, query.ids)
        low = 0 if query.after is None else bisect_right(rows, query.after, key=_SEQ)
        high = len(rows) if query.before is None else bisect_left(rows, query.before, key=_SEQ)
        places = range(high - 1, low - 1, -1) if query.newest else range(low, high)
        found = list(islice(_visible((rows[place] for place in places), now), query.limit))
        return found[::-1] if query.newest else found

    def seqs(self, put: Sequence[Record]) -> list[int]:
        """Where the records of `put` are now; 0 for one that was dropped since."""
        known = (self.kinds.get(record.kind, _Kind()).ids.get(record.id) for record in put)
        return [record.seq if record else 0 for record in known]

    def put(self, record: Record, now: float) -> int:
        kind = self.kinds.setdefault(record.kind, _Kind())
        old = kind.ids.get(record.id)
        if old and old.expires is not None and old.expires <= now:
            kind.remove([old])
            old = None
        if old is None:
            self.seq += 1
        seq = old.seq if old else self.seq
        kind.put(replace(record, seq=seq))
        return seq

    def write(self, decision: Decision, change: Change) -> list[int]:
        """Drop, then put, as decided; returns the seq of each record put.

        Of an id that comes twice the last body counts.
        """
        _, self.version, self.expires, self.token, self.token_version = decision
        for drop in change.drop:
            self.drop(drop)
        latest = {(record.kind, record.id): record for record in change.put}
        seqs = {key: self.put(record, change.now) for key, record in latest.items()}
        return [seqs[record.kind, record.id] for record in change.put]

    def drop(self, drop: Drop) -> None:
        kind = self.kinds.get(drop.kind or "")
        if kind is None:
            return
        rows = kind.order if drop.ids is None else _by_ids(kind, drop.ids)
        high = len(rows) if drop.upto is None else bisect_right(rows, drop.upto, key=_SEQ)
        kind.remove(rows[:high])

    def sweep(self, now: float, limit: int) -> int:
        swept = 0
        for kind in self.kinds.values():
            dead = (r for r in kind.order if r.expires is not None and r.expires <= now)
            swept += kind.remove(list(islice(dead, limit - swept)))
        return swept

    def mortal(self) -> bool:
        """Does a record here have an expiry of its own?"""
        return any(record.expires is not None for record in self.records())

    def records(self) -> Iterator[Record]:
        """Every record, kind by kind, each in the order of its seqs."""
        return (record for kind in self.kinds.values() for record in kind.order)

    def restore(self, record: Record) -> None:
        """Put a record that was stored before back in its place."""
        self.kinds.setdefault(record.kind, _Kind()).put(record)


def _by_ids(kind: _Kind, ids: Iterable[str]) -> list[Record]:
    return sorted((kind.ids[one] for one in set(ids) if one in kind.ids), key=_SEQ)


def _visible(records: Iterable[Record], now: float) -> Iterator[Record]:
    return (record for record in records if record.expires is None or record.expires > now)
