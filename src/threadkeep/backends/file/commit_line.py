"""One commit on a locked log: what it does to the head, and the line that says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from threadkeep.backends.common.commit import (
    Action,
    Change,
    Decision,
    Key,
    Lifetime,
    StreamState,
    decide,
)
from threadkeep.backends.file import line_format
from threadkeep.backends.file.index import Index, StreamHead
from threadkeep.backends.file.line_format import KindState
from threadkeep.backends.file.log import Log
from threadkeep.types import Commit, Drop, Record

_VERSION_GAP: Final = 4096
"""A damaged last commit had a version and seqs that nobody knows now: leap over them."""


class StoredRecord(NamedTuple):
    """A record that is there: its seq, its expiry, and the bytes it takes."""

    seq: int
    expires: float | None
    size: int


class NewLine(NamedTuple):
    """A line to be written at an offset; the head after it, and the records it mentions."""

    raw: bytes
    offset: int
    head: StreamHead
    hashes: list[int]


class _KindTotals:
    """What puts make of a place."""

    __slots__ = ("_before", "_expires", "_records", "_size")

    def __init__(self, before: KindState) -> None:
        self._before = before
        self._records, self._size, self._expires = before.records, before.size, before.expires

    def add(self, text: str, expires: float | None, old_record: StoredRecord | None) -> None:
        self._size += line_format.size(text)
        if expires is not None:
            self._expires = earliest(self._expires, expires)
        if old_record:
            self._size -= old_record.size
        else:
            self._records += 1

    def state(self) -> KindState:
        byte_size, state_before = max(0, self._size), self._before
        return KindState(
            state_before.last, self._records, byte_size, state_before.floor, self._expires
        )


class PendingCommit:
    """What one commit makes of a stream, before its line is written."""

    def __init__(self, log: Log, log_index: Index, offset: int, now: float) -> None:
        log_head = log_index.head
        self._log = log
        self._index = log_index
        self._offset = offset
        self._now = now
        self.live = log_head if log_head and log_head.is_live(now) else None
        self.begin = offset
        self.base = (log_head.seq if log_head else 0) + _VERSION_GAP * log_index.damaged
        self.seq = self.base
        self.kinds: dict[str, KindState] = {}
        self.rows: list[tuple[int, str]] = []
        self.dropped: dict[str, list[str]] = {}
        self.hashes: list[int] = []
        self._dropped_keys: set[Key] = set()
        if self.live:
            self.begin, self.kinds = self.live.begin, dict(self.live.kinds)

    def end_generation(self) -> None:
        """Nothing that was written so far counts any more."""
        self.live, self.kinds, self.begin = None, {}, self._offset

    def drop(self, drop: Drop) -> None:
        """Drop records of one kind."""
        kind, dropped_ids, max_seq = drop
        if kind is None or kind not in self.kinds:
            return
        if dropped_ids is None:
            self._drop_range(kind, self.seq if max_seq is None else min(max_seq, self.seq))
            return
        for record_id in dict.fromkeys(dropped_ids):
            existing_record = self.find(kind, record_id)
            if existing_record and (max_seq is None or existing_record.seq <= max_seq):
                self._drop_one(kind, record_id, existing_record)

    def expire(self, kind: str, expiries: Iterable[float | None]) -> None:
        """Say anew when the first record of a kind expires."""
        earliest_expiry = min((expiry for expiry in expiries if expiry is not None), default=None)
        self.kinds[kind] = self.kinds[kind]._replace(expires=earliest_expiry)

    def put(self, records: Sequence[Record]) -> list[int]:
        """Put records; their seqs."""
        record_by_key = {(record.kind, record.id): record for record in records}
        totals_by_kind: dict[str, _KindTotals] = {}
        for kind in dict.fromkeys(kind for kind, _ in record_by_key):
            totals_by_kind[kind] = _KindTotals(self.kinds.setdefault(kind, KindState(-1)))
        seq_by_key = {
            record_key: self._put(record, totals_by_kind[record_key[0]])
            for record_key, record in record_by_key.items()
        }
        self.kinds |= {kind: kind_totals.state() for kind, kind_totals in totals_by_kind.items()}
        self.rows.sort()
        return [seq_by_key[record.kind, record.id] for record in records]

    def find(self, kind: str, id: str, hash: int | None = None) -> StoredRecord | None:
        """A record as it is after what was dropped so far."""
        kind_state = self.kinds.get(kind)
        if self.live is None or kind_state is None or (kind, id) in self._dropped_keys:
            return None
        index_match = self._index.find(self._log, kind, id, hash)
        if index_match is None or index_match[1][2] <= kind_state.floor:
            return None
        return StoredRecord(index_match[1][2], index_match[1][4], index_match[2])

    def _put(self, record: Record, tally: _KindTotals) -> int:
        key_hash = self._index.hash(record.kind, record.id)
        existing_record = self.find(record.kind, record.id, key_hash)
        if existing_record and (
            existing_record.expires is None or existing_record.expires > self._now
        ):
            seq = existing_record.seq
        else:
            self.seq = seq = self.seq + 1
        row_text = line_format.row_text(record, seq)
        self.rows.append((seq, row_text))
        self.hashes.append(key_hash)
        tally.add(row_text, record.expires, existing_record)
        return seq

    def _drop_one(self, kind: str, id: str, old_record: StoredRecord) -> None:
        kind_state = self.kinds[kind]
        self._dropped_keys.add((kind, id))
        self.hashes.append(self._index.hash(kind, id))
        self.dropped.setdefault(kind, []).append(id)
        remaining_size = max(0, kind_state.size - old_record.size)
        self.kinds[kind] = kind_state._replace(records=kind_state.records - 1, size=remaining_size)

    def _drop_range(self, kind: str, upto: int) -> None:
        """Raise the floor; how much is left is known only roughly, and never too low."""
        old_state = self.kinds[kind]
        remaining_count = min(old_state.records, self.seq - upto)
        remaining_size = (
            old_state.size * remaining_count // old_state.records if old_state.records else 0
        )
        new_state = old_state._replace(
            records=remaining_count, size=remaining_size, floor=max(old_state.floor, upto)
        )
        self.kinds[kind] = new_state if remaining_count else new_state._replace(expires=None)

    def line(self, version: int, lifetime: Lifetime, token: Any) -> NewLine:
        """The line that says all this."""
        head_fields: dict[str, Any] = {"v": version, "q": self.seq, "b": self.base}
        head_fields |= lifetime_fields(lifetime)
        head_fields["o"] = self.begin
        mentioned_kinds = _kinds(self.rows) | self.dropped.keys()
        last_offset_by_kind = {kind: self.kinds[kind].last for kind in sorted(mentioned_kinds)}
        self.kinds |= {
            kind: self.kinds[kind]._replace(last=self._offset) for kind in last_offset_by_kind
        }
        head_fields["h"] = {kind: trimmed(kind_state) for kind, kind_state in self.kinds.items()}
        if last_offset_by_kind:
            head_fields["c"] = last_offset_by_kind
        if self.dropped:
            head_fields["d"] = self.dropped
        if token is not None:
            head_fields["k" if isinstance(token, int) else "t"] = token
        line_bytes = line_format.render(head_fields, [row_text for _, row_text in self.rows])
        token_offset = token if token is None or isinstance(token, int) else self._offset
        end_offset = self._offset + len(line_bytes)
        new_head = StreamHead(
            version, self.seq, *lifetime, self.begin, self.kinds, token_offset, end_offset
        )
        return NewLine(line_bytes, self._offset, new_head, self.hashes)

    def write(self, decision: Decision, change: Change) -> tuple[Commit, NewLine]:
        """Put, and say all this in a line; a generation that goes on keeps its token."""
        new_version = decision.version + self.version_gap() if self.live else decision.version
        put_seqs = self.put(change.put)
        token_or_offset: Any = self.live.token if self.live else None
        if change.token is not None:
            token_or_offset = [change.token, new_version]
        return Commit(new_version, put_seqs), self.line(
            new_version, decision.lifetime, token_or_offset
        )

    def version_gap(self) -> int:
        """How far versions must leap to be beyond all that a damaged last commit may have had."""
        return _VERSION_GAP * self._index.damaged

    def touch(self, live: StreamHead, decision: Decision) -> tuple[Commit, NewLine | None]:
        """Change the expiry; without a change there is no line."""
        if decision.lifetime == live.lifetime:
            return Commit(decision.version, []), None
        new_version = decision.version + self.version_gap()
        return Commit(new_version, []), self.line(new_version, decision.lifetime, live.token)


class Written(NamedTuple):
    """What a commit comes to: the answer, and the line to write for it, if any."""

    answer: Commit
    line: NewLine | None = None
    ends: bool = False
    """The stream is gone with it: its files may go too."""


def apply(log: Log, log_index: Index, offset: int, change: Change) -> Written:
    """What `Backend.commit` promises, but for the writing: the line would stand at `offset`."""
    pending_commit = PendingCommit(log, log_index, offset, change.now)
    live_head = pending_commit.live
    decision = decide(_head(log, live_head, change.token), change)
    action = decision.action
    if action is Action.REPLAY:
        return Written(Commit(decision.version, _seqs(pending_commit, change.put)))
    if action is Action.TOUCH and live_head:
        return Written(*pending_commit.touch(live_head, decision))
    if action is Action.IGNORE:
        return Written(Commit(0, []))
    if action is not Action.CONTINUE:
        pending_commit.end_generation()
    if action is Action.END:
        return Written(Commit(0, []), pending_commit.line(0, Lifetime(None, None), None), ends=True)
    for drop in change.drop:
        pending_commit.drop(drop)
    return Written(*pending_commit.write(decision, change))


def _head(log: Log, live: StreamHead | None, token: str | None) -> StreamState | None:
    """What a commit depends on; the last token is read where the change has one."""
    if live is None:
        return None
    last_token = token_of(log, live) if token is not None else None
    return StreamState(live.version, *live.lifetime, *(last_token or (None, None)))


def lifetime_fields(lifetime: Lifetime) -> dict[str, float]:
    """The fields of a head that say how long the stream lives."""
    fields = {"e": lifetime.expires, "l": lifetime.ttl}
    return {field_name: seconds for field_name, seconds in fields.items() if seconds is not None}


def token_of(log: Log, head: StreamHead) -> list[Any] | None:
    """The last token of the life, and the version it made."""
    token_line = log.line_at(head.token) if isinstance(head.token, int) else None
    return token_line.head.get("t") if token_line else None


def _seqs(pending: PendingCommit, put: Iterable[Record]) -> list[int]:
    """Where records are now; 0 for one that was dropped since."""
    stored_records = (pending.find(put_record.kind, put_record.id) for put_record in put)
    return [stored_record.seq if stored_record else 0 for stored_record in stored_records]


def earliest(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _kinds(rows: Iterable[tuple[int, str]]) -> set[str]:
    return {row_text[2 : row_text.index('"', 2)] for _, row_text in rows}


def trimmed(state: KindState) -> list[Any]:
    """The fields of a state without the trailing ones that say nothing."""
    state_fields = list(state)
    while state_fields[-1] in (None, 0) and len(state_fields) > 1:
        state_fields.pop()
    return state_fields
