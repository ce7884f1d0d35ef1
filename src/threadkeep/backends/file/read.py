"""Reads pages from an open log, without a lock: complete lines never change.

The newest records of a kind are found by scanning its lines backwards from the last one. Only
queries far from the end of a long stream need the index: by id, the oldest, a page in the middle.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from threadkeep.backends.file.index import Index, StreamHead
from threadkeep.backends.file.line_format import KindState, LogLine, Row
from threadkeep.backends.file.log import BLOCK, Log
from threadkeep.types import Page, Query, Record

_NEAR: Final = 256
"""Skipping so many records costs less than opening an index."""

_new = object.__new__
_kind, _id, _body, _at, _expires, _seq = (
    getattr(Record, name).__set__ for name in ("kind", "id", "body", "at", "expires", "seq")
)


class NeedsIndex(Exception):
    """The query needs an index."""


class SeqRange(NamedTuple):
    """Selects records of a kind, between two seqs (exclusive), not expired at `now`."""

    kind: str
    low: int
    high: int
    now: float

    def contains(self, row: Row) -> bool:
        return self.low < row[2] < self.high and (row[4] is None or row[4] > self.now)


class LogReader:
    """Reads a snapshot of one stream.

    Args:
        index: caught up to `head` and locked; None if it is opened only when needed.
    """

    def __init__(self, log: Log, head: StreamHead, now: float, index: Index | None = None) -> None:
        self._log = log
        self._head = head
        self._now = now
        self._caught_up = index

    def page(self, query: Query) -> Page:
        """Answer a query.

        Raises:
            NeedsIndex: the query needs an index, and the reader has none.
        """
        kind_state = self._head.kinds.get(query.kind)
        if kind_state is None or query.limit == 0 or not kind_state.records:
            return Page(self._head.version, [])
        seq_floor = max(kind_state.floor, -1 if query.after is None else query.after)
        seq_ceiling = self._head.seq + 1 if query.before is None else query.before
        seq_range = SeqRange(query.kind, seq_floor, seq_ceiling, self._now)
        selected_rows = self._rows(query, kind_state, seq_range)
        selected_rows.sort(key=_row_seq)
        return Page(self._head.version, _to_records(selected_rows))

    def _rows(self, query: Query, state: KindState, span: SeqRange) -> list[Row]:
        query_limit, is_small_kind = query.limit, state.records <= _NEAR
        if query.ids is not None:
            return _limited(
                self._by_ids(query.ids, state, span, is_small_kind), query_limit, query.newest
            )
        if query_limit is None:
            return list(self._newest(state, span, None))
        if query.newest and self._head.seq - span.high < _NEAR:
            return _limited(self._newest(state, span, query_limit), query_limit, newest=True)
        if is_small_kind or state.records <= query_limit:
            return _limited(self._newest(state, span, None), query_limit, query.newest)
        ordered_rows = self._backward(span) if query.newest else self._forward(span)
        return list(islice(ordered_rows, query_limit))

    @property
    def _index(self) -> Index:
        if self._caught_up is None:
            raise NeedsIndex
        return self._caught_up

    def _newest(
        self,
        state: KindState,
        span: SeqRange,
        limit: int | None,
        ids: Collection[str] | None = None,
    ) -> list[Row]:
        """Scan backwards until no further row can be among the newest `limit`."""
        backward_scan = _BackwardScan(span, limit, ids)
        unread_count = state.records
        for log_line, is_gapless in self._lines_of(span.kind):
            if not is_gapless:
                unread_count = self._head.seq  # records dropped by a damaged line reappear
            seq_before_line = log_line.head["b"]
            for row in log_line.rows_reversed(span.kind):
                if backward_scan.visit(row, state.floor, seq_before_line):
                    unread_count -= 1
                if not unread_count or backward_scan.is_complete(max(row[2], seq_before_line + 1)):
                    return backward_scan.rows
            backward_scan.visited.update(log_line.head.get("d", {}).get(span.kind, ()))
            if seq_before_line <= span.low or backward_scan.is_complete(seq_before_line + 1):
                break
        return backward_scan.rows

    def _by_ids(
        self, ids: Sequence[str], state: KindState, span: SeqRange, is_small: bool
    ) -> list[Row]:
        unique_ids = set(ids)
        if is_small:
            return self._newest(state, span, None, unique_ids)
        log_index = self._index
        line_rows = (log_index.find(self._log, span.kind, record_id) for record_id in unique_ids)
        return [line_row[1] for line_row in line_rows if line_row and span.contains(line_row[1])]

    def _forward(self, span: SeqRange) -> Iterator[Row]:
        """Yield rows oldest first: each at the line that assigned its seq, in its current state."""
        start_offset = self._log.seek(span.low + 1, self._head.begin, self._head.end)
        for log_line in self._log.commits(start_offset):
            if log_line.head["b"] >= span.high - 1:
                return
            if span.kind in log_line.head.get("c", ()):
                kind_rows = (row for row in log_line.rows() if row[0] == span.kind)
                yield from self._current_rows(log_line, kind_rows, span)

    def _backward(self, span: SeqRange) -> Iterator[Row]:
        """Yield rows newest first, starting in the middle of the log."""
        start_offset = self._log.seek(span.high - 1, self._head.begin, self._head.end)
        start_line = next(
            (line for line in self._log.commits(start_offset) if line.head["q"] >= span.high - 1),
            None,
        )
        for log_line, _ in self._lines_of(span.kind, start_line):
            yield from self._current_rows(log_line, log_line.rows_reversed(span.kind), span)
            if log_line.head["b"] <= span.low:
                return

    def _current_rows(self, line: LogLine, rows: Iterator[Row], span: SeqRange) -> Iterator[Row]:
        """Yield, in their current state, existing rows whose seq this line assigned."""
        log_index = self._index
        for row in rows:
            if row[2] <= line.head["b"] or not span.low < row[2] < span.high:
                continue
            if log_index.offset(log_index.hash(span.kind, row[1])) != line.offset:
                index_match = log_index.find(self._log, span.kind, row[1])
                if index_match is None or index_match[1][2] != row[2]:
                    continue
                row = index_match[1]
            if span.contains(row):
                yield row

    def _lines_of(self, kind: str, start: LogLine | None = None) -> Iterator[tuple[LogLine, bool]]:
        """Yield the lines that mention a kind, newest first; False after a damaged line."""
        is_gapless = True
        if start and kind in start.head.get("c", ()):
            line_offset = start.offset
        else:
            state_by_kind = StreamHead.of(start).kinds if start else self._head.kinds
            line_offset = state_by_kind[kind].last if kind in state_by_kind else -1
        while line_offset >= self._head.begin:
            log_line = self._log.line_at(line_offset, BLOCK)
            if log_line and kind in log_line.head.get("c", ()):
                yield log_line, is_gapless
                line_offset = log_line.head["c"][kind]
                continue
            is_gapless = False
            self._log.warn_damaged(line_offset)
            intact_line = self._log.last_before(line_offset)
            kind_state = intact_line.head["h"].get(kind) if intact_line else None
            line_offset = kind_state[0] if kind_state else -1


class _BackwardScan:
    """The state of a backward scan: rows arrive by descending seq, except for replaced ones."""

    def __init__(self, span: SeqRange, limit: int | None, ids: Collection[str] | None) -> None:
        self.rows: list[Row] = []
        self.visited: set[str] = set()
        self._span = span
        self._limit = limit
        self._ids = ids
        self._missing = len(ids) if ids is not None else -1
        self._confirmed = 0
        self._unconfirmed: list[int] = []

    def visit(self, row: Row, floor_seq: int, base_seq: int) -> bool:
        """Collect a row if it is selected; return True if it is an existing record."""
        record_id, seq = row[1], row[2]
        if record_id in self.visited or seq <= floor_seq:
            return False
        self.visited.add(record_id)
        if self._ids is not None:
            if record_id not in self._ids:
                return True
            self._missing -= 1
        if self._span.contains(row):
            self.rows.append(row)
            if seq > base_seq:
                self._confirmed += 1
            else:
                insort(self._unconfirmed, seq)
        return True

    def is_complete(self, bound_seq: int) -> bool:
        """Return True if no selected row can have a seq below `bound_seq`, where the scan is."""
        while self._unconfirmed and self._unconfirmed[-1] >= bound_seq:
            self._unconfirmed.pop()
            self._confirmed += 1
        return self._missing == 0 or (self._limit is not None and self._confirmed >= self._limit)


def _row_seq(row: Row) -> int:
    seq: int = row[2]
    return seq


def _limited(rows: list[Row], limit: int | None, newest: bool) -> list[Row]:
    if limit is None:
        return rows
    rows.sort(key=_row_seq)
    return rows[-limit:] if newest else rows[:limit]


def _to_records(rows: Iterable[Row]) -> list[Record]:
    """Like `Record(...)` of each row in half the time: reads spend much of their time here."""
    records = []
    for kind, record_id, seq, written_at, expiry, body in rows:
        record = _new(Record)
        _kind(record, kind)
        _id(record, record_id)
        _body(record, body)
        _at(record, written_at)
        _expires(record, expiry)
        _seq(record, seq)
        records.append(record)
    return records
