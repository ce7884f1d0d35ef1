"""A stream in plain Python, and what a commit does to it: no lock, no I/O.

For stores that have a whole stream in memory while they change it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter

from threadkeep.backends.common.commit import Action, Change, Decision, Head, decide, is_live
from threadkeep.types import Commit, Drop, Page, Query, Record

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
    """One generation of a stream."""

    version: int
    seq: int = 0
    expires: float | None = None
    ttl: float | None = None
    token: str | None = None
    token_version: int | None = None
    kinds: dict[str, _Kind] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        """What a commit depends on."""
        return Head(self.version, self.expires, self.ttl, self.token, self.token_version)

    def dead(self, now: float) -> bool:
        """Whether it has expired."""
        return not is_live(self.expires, now)

    def records(self) -> Iterator[Record]:
        """All records, also those that have expired; of each kind in the order of their seqs."""
        return (record for kind in self.kinds.values() for record in kind.order)

    def restore(self, record: Record) -> None:
        """Put a record that was stored before back in its place."""
        self.kinds.setdefault(record.kind, _Kind()).put(record)

    def page(self, query: Query, now: float) -> Page:
        """Answer a query."""
        return Page(0, []) if self.dead(now) else Page(self.version, self._select(query, now))

    def _select(self, query: Query, now: float) -> list[Record]:
        kind = self.kinds.get(query.kind)
        if kind is None:
            return []
        rows = kind.order if query.ids is None else _by_ids(kind, query.ids)
        low = 0 if query.after is None else bisect_right(rows, query.after, key=_SEQ)
        high = len(rows) if query.before is None else bisect_left(rows, query.before, key=_SEQ)
        places = range(high - 1, low - 1, -1) if query.newest else range(low, high)
        page = list(islice(_visible((rows[place] for place in places), now), query.limit))
        return page[::-1] if query.newest else page

    def seqs(self, put: Sequence[Record]) -> list[int]:
        """Where the records of `put` are now; 0 for one that was dropped since."""
        stored = (self.kinds.get(record.kind, _Kind()).ids.get(record.id) for record in put)
        return [record.seq if record else 0 for record in stored]

    def write(self, decision: Decision, change: Change) -> Commit:
        """Drop, then put, as decided; of an id that comes twice the last body counts."""
        for drop in change.drop:
            self.drop(drop)
        _, self.version, self.expires, self.ttl, self.token, self.token_version = decision
        latest = {(record.kind, record.id): record for record in change.put}
        seqs = {key: self._put(record, change.now) for key, record in latest.items()}
        return Commit(decision.version, [seqs[record.kind, record.id] for record in change.put])

    def _put(self, record: Record, now: float) -> int:
        kind = self.kinds.setdefault(record.kind, _Kind())
        old = kind.ids.get(record.id)
        if old and not is_live(old.expires, now):
            kind.remove([old])
            old = None
        if old is None:
            self.seq += 1
        seq = old.seq if old else self.seq
        kind.put(replace(record, seq=seq))
        return seq

    def drop(self, drop: Drop) -> None:
        """Drop records."""
        kind = self.kinds.get(drop.kind or "")
        if kind is None:
            return
        rows = kind.order if drop.ids is None else _by_ids(kind, drop.ids)
        high = len(rows) if drop.upto is None else bisect_right(rows, drop.upto, key=_SEQ)
        kind.remove(rows[:high])

    def sweep(self, now: float, limit: int) -> int:
        """Remove up to `limit` expired records; return how many they were."""
        swept = 0
        for kind in self.kinds.values():
            dead = (record for record in kind.order if not is_live(record.expires, now))
            swept += kind.remove(list(islice(dead, limit - swept)))
        return swept

    def mortal(self) -> bool:
        """Whether a record has an expiry of its own."""
        return any(record.expires is not None for record in self.records())


def carry_out(stream: Stream | None, change: Change) -> tuple[Stream | None, Commit]:
    """Do to a stream what `decide` says; returns the one that is left, which may be a new one.

    Args:
        stream: changed in place, where it goes on; `None` = there is none.

    Raises:
        Conflict: the live stream does not have the version that the change expects.
    """
    return apply(stream, decide(stream.head if stream else None, change), change)


def apply(
    stream: Stream | None, decision: Decision, change: Change
) -> tuple[Stream | None, Commit]:
    """The same, where it was decided already."""
    if decision.action is Action.CREATE:
        created = Stream(decision.version)
        return created, created.write(decision, change)
    if stream is None or decision.action in (Action.IGNORE, Action.END):
        return None, Commit(0, [])
    if decision.action is Action.REPLAY:
        return stream, Commit(decision.version, stream.seqs(change.put))
    if decision.action is Action.TOUCH:
        stream.expires, stream.ttl = decision.expires, decision.ttl
        return stream, Commit(decision.version, [])
    return stream, stream.write(decision, change)


def _by_ids(kind: _Kind, ids: Iterable[str]) -> list[Record]:
    return sorted((kind.ids[id] for id in set(ids) if id in kind.ids), key=_SEQ)


def _visible(records: Iterable[Record], now: float) -> Iterator[Record]:
    return (record for record in records if record.expires is None or record.expires > now)
