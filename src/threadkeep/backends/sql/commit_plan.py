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
    stored = Row(*columns)
    return stored if stored.token is None else stored._replace(token=dialect.text(stored.token))


def plan(dialect: Dialect, row: Row | None, change: Change) -> Plan:
    """The steps of a commit, given the locked row of its stream.

    Raises:
        Conflict: the version is not the one expected.
    """
    decision = decide(row.head if row else None, change)
    action, where = decision.action, {"stream": change.stream}
    if action is Action.REPLAY:
        return Plan(places(dialect, change.stream, change.put, LAST), decision.version, {})
    if action is Action.IGNORE:
        return Plan([], 0, {})
    if action is Action.TOUCH:
        return Plan(_touch(dialect, row, decision, change), decision.version, {})
    if action is Action.CONTINUE:
        drops = [step for drop in change.drop for step in _drop(dialect, change.stream, drop)]
        return _write(dialect, row, drops, decision, change)
    erased: list[Step] = [(dialect.sql.drop_all, where)] if row else []
    if action is Action.END:
        return Plan([*erased, (dialect.sql.delete_stream, where)], 0, {})
    return _write(dialect, row, erased, decision, change)


def answer(plan: Plan, rows: Iterable[Any], dialect: Dialect, change: Change) -> Commit:
    """What the caller is told: rows say where known records are."""
    if not change.keys:
        return Commit(plan.version, [])
    text = dialect.text
    stored_seqs = {(text(kind), text(id)): int(seq) for kind, id, seq in rows}
    return Commit(plan.version, [stored_seqs.get(k) or plan.seqs.get(k, 0) for k in change.keys])


def _touch(dialect: Dialect, row: Row | None, decision: Decision, change: Change) -> list[Step]:
    if row is None or (decision.expires, decision.ttl) == (row.expires, row.ttl):
        return []
    lifetime = {"expires": decision.expires, "ttl": decision.ttl}
    return [(dialect.sql.touch, {"stream": change.stream, **lifetime})]


def _write(
    dialect: Dialect, row: Row | None, drops: list[Step], decision: Decision, change: Change
) -> Plan:
    """Drops, the row of the stream, then the records: seqs go on also in a new generation."""
    base, put = row.seq if row else 0, change.put
    columns = {
        "stream": change.stream,
        "version": decision.version,
        "seq": base + len(put),
        "expires": decision.expires,
        "ttl": decision.ttl,
        "token": decision.token,
        "token_version": decision.token_version,
    }
    steps = [*drops, (dialect.sql.update_stream if row else dialect.sql.insert_stream, columns)]
    if put:
        steps += dialect.put(change.stream, base, put, change.now)
    return Plan(steps, decision.version, numbered(put, base))


def numbered(put: Sequence[Record], base: int) -> dict[Key, int]:
    """The seqs of records that are all new."""
    return {(record.kind, record.id): seq for seq, record in enumerate(put, base + 1)}


def _drop(dialect: Dialect, stream: str, drop: Drop) -> list[Step]:
    upto = LAST if drop.upto is None else drop.upto
    where = {"stream": stream, "kind": drop.kind, "upto": upto}
    if drop.ids is None:
        return [(dialect.sql.drop_range, where)]
    return dialect.by_ids(dialect.sql.drop_ids, where, drop.ids)


def places(dialect: Dialect, stream: str, put: Sequence[Record], upto: int) -> list[Step]:
    """Where records are, as far as they stand at or before a seq."""
    kinds: dict[str, list[str]] = {}
    for record in put:
        kinds.setdefault(record.kind, []).append(record.id)
    steps: list[Step] = []
    for kind, ids in kinds.items():
        where = {"stream": stream, "kind": kind, "upto": upto}
        steps += dialect.by_ids(dialect.sql.select_seqs, where, ids)
    return steps
