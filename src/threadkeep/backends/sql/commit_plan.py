"""What a commit does to a stream whose row is locked: from the head to the steps that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from threadkeep.backends.common.commit import Action, Change, Decision, Key, StreamState, decide
from threadkeep.backends.sql.statements import LAST, Step
from threadkeep.types import Commit, Drop, Record

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect


class Plan(NamedTuple):
    """Steps, the version they make, and which seq a record has of which they return no row."""

    steps: list[Step]
    version: int
    seqs: Mapping[Key, int]


class Row(NamedTuple):
    """A row of the streams."""

    version: int
    seq: int
    expires: float | None
    ttl: float | None
    token: str | None
    token_version: int | None

    @property
    def head(self) -> StreamState:
        """What a commit depends on."""
        return StreamState(self.version, self.expires, self.ttl, self.token, self.token_version)


def row(dialect: Dialect, columns: Sequence[Any]) -> Row:
    """A row as the driver returned it."""
    stored_row = Row(*columns)
    return (
        stored_row
        if stored_row.token is None
        else stored_row._replace(token=dialect.text(stored_row.token))
    )


def plan(dialect: Dialect, row: Row | None, change: Change) -> Plan:
    """The steps of a commit, given the locked row of its stream.

    Raises:
        Conflict: the version is not the one expected.
    """
    decision = decide(row.head if row else None, change)
    action, stream_parameter = decision.action, {"stream": change.stream}
    if action is Action.REPLAY:
        return Plan(places(dialect, change.stream, change.put, LAST), decision.version, {})
    if action is Action.IGNORE:
        return Plan([], 0, {})
    if action is Action.TOUCH:
        return Plan(_touch(dialect, row, decision, change), decision.version, {})
    if action is Action.CONTINUE:
        drop_steps = [step for drop in change.drop for step in _drop(dialect, change.stream, drop)]
        return _write(dialect, row, drop_steps, decision, change)
    erasing_steps: list[Step] = [(dialect.sql.drop_all, stream_parameter)] if row else []
    if action is Action.END:
        return Plan([*erasing_steps, (dialect.sql.delete_stream, stream_parameter)], 0, {})
    return _write(dialect, row, erasing_steps, decision, change)


def answer(plan: Plan, rows: Iterable[Any], dialect: Dialect, change: Change) -> Commit:
    """What the caller is told: rows say where known records are."""
    if not change.keys:
        return Commit(plan.version, [])
    decode_text = dialect.text
    seq_by_key = {
        (decode_text(kind), decode_text(record_id)): int(seq) for kind, record_id, seq in rows
    }
    return Commit(
        plan.version,
        [seq_by_key.get(record_key) or plan.seqs.get(record_key, 0) for record_key in change.keys],
    )


def _touch(dialect: Dialect, row: Row | None, decision: Decision, change: Change) -> list[Step]:
    if row is None or (decision.expires, decision.ttl) == (row.expires, row.ttl):
        return []
    lifetime_columns = {"expires": decision.expires, "ttl": decision.ttl}
    return [(dialect.sql.touch, {"stream": change.stream, **lifetime_columns})]


def _write(
    dialect: Dialect, row: Row | None, drops: list[Step], decision: Decision, change: Change
) -> Plan:
    """Drops, the row of the stream, then the records: seqs go on also in a new generation."""
    base_seq, put_records = row.seq if row else 0, change.put
    stream_columns = {
        "stream": change.stream,
        "version": decision.version,
        "seq": base_seq + len(put_records),
        "expires": decision.expires,
        "ttl": decision.ttl,
        "token": decision.token,
        "token_version": decision.token_version,
    }
    write_steps = [
        *drops,
        (dialect.sql.update_stream if row else dialect.sql.insert_stream, stream_columns),
    ]
    if put_records:
        write_steps += dialect.put(change.stream, base_seq, put_records, change.now)
    return Plan(write_steps, decision.version, numbered(put_records, base_seq))


def numbered(put: Sequence[Record], base_seq: int) -> dict[Key, int]:
    """The seqs of records that are all new."""
    return {(record.kind, record.id): seq for seq, record in enumerate(put, base_seq + 1)}


def _drop(dialect: Dialect, stream: str, drop: Drop) -> list[Step]:
    max_seq = LAST if drop.upto is None else drop.upto
    drop_parameters = {"stream": stream, "kind": drop.kind, "upto": max_seq}
    if drop.ids is None:
        return [(dialect.sql.drop_range, drop_parameters)]
    return dialect.by_ids(dialect.sql.drop_ids, drop_parameters, drop.ids)


def places(dialect: Dialect, stream: str, put: Sequence[Record], max_seq: int) -> list[Step]:
    """Where records are, as far as they stand at or before a seq."""
    ids_by_kind: dict[str, list[str]] = {}
    for record in put:
        ids_by_kind.setdefault(record.kind, []).append(record.id)
    find_steps: list[Step] = []
    for kind, record_ids in ids_by_kind.items():
        find_parameters = {"stream": stream, "kind": kind, "upto": max_seq}
        find_steps += dialect.by_ids(dialect.sql.select_seqs, find_parameters, record_ids)
    return find_steps
