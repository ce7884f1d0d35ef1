"""A stream in plain Python, and what a commit does to it: no lock, no I/O.

For stores that have a whole stream in memory while they change it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from threadkeep.backends.common.commit import Action, Change, Decision, StreamState, decide, is_live
from threadkeep.core.item_codec import with_seq
from threadkeep.types import Commit, Drop, Page, Query, Record

_SEQ = attrgetter("seq")


@dataclass(slots=True)
class _Kind:
    """The records of one kind, by id and in the order of their seqs."""

    ids: dict[str, Record] = field(default_factory=dict)
    order: list[Record] = field(default_factory=list)

    def put(self, record: Record) -> None:
        """Put a record in its place, also one that is there already."""
        self.ids[record.id] = record
        if not self.order or self.order[-1].seq < record.seq:  # nearly always
            self.order.append(record)
            return
        index = bisect_left(self.order, record.seq, key=_SEQ)
        if index < len(self.order) and self.order[index].seq == record.seq:
            self.order[index] = record
        else:
            self.order.insert(index, record)

    def remove(self, records: Sequence[Record]) -> None:
        """Remove records, also those that are gone already."""
        removed_seqs = {record.seq for record in records}
        if len(records) > 1:
            self.order = [record for record in self.order if record.seq not in removed_seqs]
        elif records:
            index = bisect_left(self.order, records[0].seq, key=_SEQ)
            if index < len(self.order) and self.order[index].seq in removed_seqs:
                del self.order[index]
        for record in records:
            if self.ids.get(record.id) is record:
                del self.ids[record.id]


class _Plan(NamedTuple):
    """What a stream becomes; carrying it out twice, or again from the middle, changes nothing.

    Attributes:
        removed: the records that go, by kind.
        put: records with their seqs.
        seq: the last one given.
    """

    removed: dict[str, list[Record]]
    put: Collection[Record]
    seq: int
    decision: Decision


@dataclass(slots=True)
class Stream:
    """One generation of a stream.

    A change is planned aside and becomes valid with one assignment. Whoever is interrupted while
    carrying it out leaves the rest to the next caller's `settle`.
    """

    version: int
    seq: int = 0
    expires: float | None = None
    ttl: float | None = None
    token: str | None = None
    token_version: int | None = None
    kinds: dict[str, _Kind] = field(default_factory=dict)
    _planned: _Plan | None = field(default=None, repr=False)

    @property
    def head(self) -> StreamState:
        """What a commit depends on."""
        return StreamState(self.version, self.expires, self.ttl, self.token, self.token_version)

    def dead(self, now: float) -> bool:
        """Whether it has expired."""
        return not is_live(self.expires, now)

    def records(self) -> Iterator[Record]:
        """All records, also those that have expired; of each kind in the order of their seqs."""
        return (record for kind_records in self.kinds.values() for record in kind_records.order)

    def restore(self, record: Record) -> None:
        """Put a record that was stored before back in its place."""
        self.kinds.setdefault(record.kind, _Kind()).put(record)

    def page(self, query: Query, now: float) -> Page:
        """Answer a query."""
        return Page(0, []) if self.dead(now) else Page(self.version, self._select(query, now))

    def _select(self, query: Query, now: float) -> list[Record]:
        kind_records = self.kinds.get(query.kind)
        if kind_records is None or query.limit == 0:
            return []
        records = kind_records.order if query.ids is None else _by_ids(kind_records, query.ids)
        start_index = 0 if query.after is None else bisect_right(records, query.after, key=_SEQ)
        end_index = (
            len(records) if query.before is None else bisect_left(records, query.before, key=_SEQ)
        )
        indexes = (
            range(end_index - 1, start_index - 1, -1)
            if query.newest
            else range(start_index, end_index)
        )
        matches = list(islice(_visible((records[index] for index in indexes), now), query.limit))
        return matches[::-1] if query.newest else matches

    def seqs(self, put: Sequence[Record]) -> list[int]:
        """Where the records of `put` are now; 0 for one that was dropped since."""
        stored_records = (self.kinds.get(record.kind, _Kind()).ids.get(record.id) for record in put)
        return [record.seq if record else 0 for record in stored_records]

    def write(self, decision: Decision, change: Change) -> Commit:
        """Drop, then put, as decided; of an id that comes twice the last body counts."""
        plan = self._plan(decision, change)
        self._carry_out(plan)
        if len(plan.put) == len(change.put):
            return Commit(decision.version, [record.seq for record in plan.put])
        seq_by_key = {(record.kind, record.id): record.seq for record in plan.put}
        seqs = [seq_by_key[record.kind, record.id] for record in change.put]
        return Commit(decision.version, seqs)

    def touch(self, decision: Decision) -> None:
        """Change the expiry alone."""
        new_head = self.head._replace(expires=decision.expires, ttl=decision.ttl)
        self._carry_out(_Plan({}, (), self.seq, Decision(Action.TOUCH, *new_head)))

    def sweep(self, now: float, limit: int) -> int:
        """Remove up to `limit` expired records; return how many they were."""
        removed_by_kind: dict[str, list[Record]] = {}
        swept_count = 0
        for kind_name, kind_records in self.kinds.items():
            expired_records = (
                record for record in kind_records.order if not is_live(record.expires, now)
            )
            removed_by_kind[kind_name] = list(islice(expired_records, limit - swept_count))
            swept_count += len(removed_by_kind[kind_name])
        self._carry_out(_Plan(removed_by_kind, (), self.seq, Decision(Action.CONTINUE, *self.head)))
        return swept_count

    def settle(self) -> None:
        """Complete a change in which a caller was interrupted."""
        if self._planned is None:
            return
        removed_by_kind, records_to_put, self.seq, decision = self._planned
        for kind_name, records in removed_by_kind.items():
            self.kinds[kind_name].remove(records)
        for record in records_to_put:
            if record.kind not in self.kinds:
                self.kinds[record.kind] = _Kind()
            self.kinds[record.kind].put(record)
        _, self.version, self.expires, self.ttl, self.token, self.token_version = decision
        self._planned = None

    def _carry_out(self, plan: _Plan) -> None:
        self._planned = plan
        self.settle()

    def _plan(self, decision: Decision, change: Change) -> _Plan:
        removed_by_kind: dict[str, list[Record]] = {}
        for drop in change.drop:
            if dropped_records := self._dropped(drop):
                removed_by_kind.setdefault(drop.kind or "", []).extend(dropped_records)
        dropped_keys = {
            (kind_name, record.id)
            for kind_name, removed_records in removed_by_kind.items()
            for record in removed_records
        }
        put_by_key = {(record.kind, record.id): record for record in change.put}
        last_seq, records_to_put = self.seq, []
        for record_key, record in put_by_key.items():
            old_record = None if record_key in dropped_keys else self._find(*record_key)
            if old_record and not is_live(old_record.expires, change.now):
                removed_by_kind.setdefault(old_record.kind, []).append(old_record)
                old_record = None
            last_seq = last_seq if old_record else last_seq + 1
            records_to_put.append(with_seq(record, old_record.seq if old_record else last_seq))
        return _Plan(removed_by_kind, records_to_put, last_seq, decision)

    def _find(self, kind: str, id: str) -> Record | None:
        return self.kinds[kind].ids.get(id) if kind in self.kinds else None

    def _dropped(self, drop: Drop) -> list[Record]:
        kind_records = self.kinds.get(drop.kind or "")
        if kind_records is None:
            return []
        records = kind_records.order if drop.ids is None else _by_ids(kind_records, drop.ids)
        end_index = (
            len(records) if drop.upto is None else bisect_right(records, drop.upto, key=_SEQ)
        )
        return records[:end_index]

    def has_expiring_records(self) -> bool:
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
        created_stream = Stream(decision.version)
        return created_stream, created_stream.write(decision, change)
    if decision.action is Action.IGNORE:  # by the clock of another there may be a stream
        return stream, Commit(0, [])
    if stream is None or decision.action is Action.END:
        return None, Commit(0, [])
    if decision.action is Action.REPLAY:
        return stream, Commit(decision.version, stream.seqs(change.put))
    if decision.action is Action.TOUCH:
        stream.touch(decision)
        return stream, Commit(decision.version, [])
    return stream, stream.write(decision, change)


def _by_ids(kind_records: _Kind, ids: Iterable[str]) -> list[Record]:
    return sorted((kind_records.ids[id] for id in set(ids) if id in kind_records.ids), key=_SEQ)


def _visible(records: Iterable[Record], now: float) -> Iterator[Record]:
    return (record for record in records if record.expires is None or record.expires > now)
