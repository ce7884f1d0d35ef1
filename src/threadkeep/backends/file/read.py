"""Pages out of an open log. No lock is taken: what is whole does not change under its reader.

The newest records of a kind are found by walking its lines back from the last one. Only what
lies far from the end of a long stream takes the index: by ids, the first ones, a page from between.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from threadkeep.backends.file.index import Head, Index
from threadkeep.backends.file.line_format import Line, Place, Row
from threadkeep.backends.file.log import BLOCK, Log
from threadkeep.types import Page, Query, Record

_NEAR: Final = 256
"""To pass so many records on the way costs less than to open an index."""

_new = object.__new__
_kind, _id, _body, _at, _expires, _seq = (
    getattr(Record, name).__set__ for name in ("kind", "id", "body", "at", "expires", "seq")
)


class NeedsIndex(Exception):
    """The query cannot be answered without an index."""


class Span(NamedTuple):
    """The records that are asked for: of a kind, between two seqs (exclusive), alive at `now`."""

    kind: str
    low: int
    high: int
    now: float

    def has(self, row: Row) -> bool:
        return self.low < row[2] < self.high and (row[4] is None or row[4] > self.now)


class Reader:
    """One stream as it was at one moment.

    Args:
        index: caught up to `head`, and held; None if it is at hand only when asked for.
    """

    def __init__(self, log: Log, head: Head, now: float, index: Index | None = None) -> None:
        self._log = log
        self._head = head
        self._now = now
        self._opened = index

    def page(self, query: Query) -> Page:
        """Answer a query.

        Raises:
            NeedsIndex: there is none.
        """
        place = self._head.kinds.get(query.kind)
        if place is None or query.limit == 0 or not place.records:
            return Page(self._head.version, [])
        low = max(place.floor, -1 if query.after is None else query.after)
        high = self._head.seq + 1 if query.before is None else query.before
        span = Span(query.kind, low, high, self._now)
        rows = self._rows(query, place, span)
        rows.sort(key=_place)
        return Page(self._head.version, _records(rows))

    def _rows(self, query: Query, place: Place, span: Span) -> list[Row]:
        limit, few = query.limit, place.records <= _NEAR
        if query.ids is not None:
            return _cut(self._by_ids(query.ids, place, span, few), limit, query.newest)
        if limit is None:
            return list(self._newest(place, span, None))
        if query.newest and self._head.seq - span.high < _NEAR:
            return _cut(self._newest(place, span, limit), limit, newest=True)
        if few or place.records <= limit:
            return _cut(self._newest(place, span, None), limit, query.newest)
        found = self._back(span) if query.newest else self._onward(span)
        return list(islice(found, limit))

    @property
    def _index(self) -> Index:
        if self._opened is None:
            raise NeedsIndex
        return self._opened

    def _newest(
        self, place: Place, span: Span, limit: int | None, wanted: Collection[str] | None = None
    ) -> list[Row]:
        """Walk back until nothing that is still to come can be among the newest `limit`."""
        walk = _Walk(span, limit, wanted)
        left = place.records
        for line, whole in self._chain(span.kind):
            left = left if whole else self._head.seq  # what a damaged line dropped is back
            base = line.head["b"]
            for row in line.rows_back(span.kind):
                if walk.pass_row(row, place.floor, base):
                    left -= 1
                if not left or walk.enough(max(row[2], base + 1)):
                    return walk.found
            walk.seen.update(line.head.get("d", {}).get(span.kind, ()))
            if base <= span.low or walk.enough(base + 1):
                break
        return walk.found

    def _by_ids(self, ids: Sequence[str], place: Place, span: Span, few: bool) -> list[Row]:
        wanted = set(ids)
        if few:
            return self._newest(place, span, None, wanted)
        index = self._index
        found = (index.find(self._log, span.kind, id) for id in wanted)
        return [one[1] for one in found if one and span.has(one[1])]

    def _onward(self, span: Span) -> Iterator[Row]:
        """First ones first: each from the line that gave it its seq, as it is now."""
        start = self._log.seek(span.low + 1, self._head.begin, self._head.end)
        for line in self._log.commits(start):
            if line.head["b"] >= span.high - 1:
                return
            if span.kind in line.head.get("c", ()):
                rows = (row for row in line.rows() if row[0] == span.kind)
                yield from self._current(line, rows, span)

    def _back(self, span: Span) -> Iterator[Row]:
        """Newest first, from somewhere in the middle."""
        start = self._log.seek(span.high - 1, self._head.begin, self._head.end)
        at = next(
            (line for line in self._log.commits(start) if line.head["q"] >= span.high - 1), None
        )
        for line, _ in self._chain(span.kind, at):
            yield from self._current(line, line.rows_back(span.kind), span)
            if line.head["b"] <= span.low:
                return

    def _current(self, line: Line, rows: Iterator[Row], span: Span) -> Iterator[Row]:
        """Of the rows that a line gave their seqs, those that are still there, as they are now."""
        index = self._index
        for row in rows:
            if row[2] <= line.head["b"] or not span.low < row[2] < span.high:
                continue
            if index.offset(index.hash(span.kind, row[1])) != line.offset:
                found = index.find(self._log, span.kind, row[1])
                if found is None or found[1][2] != row[2]:
                    continue
                row = found[1]
            if span.has(row):
                yield row

    def _chain(self, kind: str, start: Line | None = None) -> Iterator[tuple[Line, bool]]:
        """The lines that mention a kind, newest first; False once a damaged one was passed."""
        whole = True
        if start and kind in start.head.get("c", ()):
            offset = start.offset
        else:
            kinds = Head.of(start).kinds if start else self._head.kinds
            offset = kinds[kind].last if kind in kinds else -1
        while offset >= self._head.begin:
            line = self._log.at(offset, BLOCK)
            if line and kind in line.head.get("c", ()):
                yield line, whole
                offset = line.head["c"][kind]
                continue
            whole = False
            self._log.tell_damaged(offset)
            line = self._log.before(offset)
            place = line.head["h"].get(kind) if line else None
            offset = place[0] if place else -1


class _Walk:
    """What a walk back has met: rows in the order of their seqs, but for those put again."""

    def __init__(self, span: Span, limit: int | None, wanted: Collection[str] | None) -> None:
        self.found: list[Row] = []
        self.seen: set[str] = set()
        self._span = span
        self._limit = limit
        self._wanted = wanted
        self._missing = len(wanted) if wanted is not None else -1
        self._sure = 0
        self._early: list[int] = []

    def pass_row(self, row: Row, floor: int, base: int) -> bool:
        """Take a row in if it is asked for; is it one of the records that are there?"""
        id, seq = row[1], row[2]
        if id in self.seen or seq <= floor:
            return False
        self.seen.add(id)
        if self._wanted is not None:
            if id not in self._wanted:
                return True
            self._missing -= 1
        if self._span.has(row):
            self.found.append(row)
            if seq > base:
                self._sure += 1
            else:
                insort(self._early, seq)
        return True

    def enough(self, bound: int) -> bool:
        """Is nothing asked for among the seqs below a bound, where the walk is now?"""
        while self._early and self._early[-1] >= bound:
            self._early.pop()
            self._sure += 1
        return self._missing == 0 or (self._limit is not None and self._sure >= self._limit)


def _place(row: Row) -> int:
    seq: int = row[2]
    return seq


def _cut(rows: list[Row], limit: int | None, newest: bool) -> list[Row]:
    if limit is None:
        return rows
    rows.sort(key=_place)
    return rows[-limit:] if newest else rows[:limit]


def _records(rows: Iterable[Row]) -> list[Record]:
    """As `Record(...)` of each, in half the time: a read spends much of its own here."""
    made = []
    for kind, id, seq, at, expires, body in rows:
        record = _new(Record)
        _kind(record, kind)
        _id(record, id)
        _body(record, body)
        _at(record, at)
        _expires(record, expires)
        _seq(record, seq)
        made.append(record)
    return made
