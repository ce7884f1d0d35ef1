"""What a commit does to a stream whose row is locked: from the head to the steps that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from threadkeep.backends.sql.change import Change, Head, Key, birth
from threadkeep.backends.sql.statements import LAST, Step
from threadkeep.errors import Conflict
from threadkeep.types import Commit, Drop, Keep, Record
from threadkeep.types.versions import matches

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect


class Plan(NamedTuple):
    """Steps, the version they make, and which seq a record has of which they return no row."""

    steps: list[Step]
    version: int
    seqs: Mapping[Key, int]


def head(dialect: Dialect, row: Sequence[Any]) -> Head:
    """A row as the driver returned it."""
    found = Head(*row)
    return found if found.token is None else found._replace(token=dialect.text(found.token))


def plan(dialect: Dialect, head: Head | None, change: Change) -> Plan:
    """What to do, given the locked head.

    Raises:
        Conflict: the version is not the one expected.
    """
    live = head if head and (head.expires is None or head.expires > change.now) else None
    if live and change.token is not None and live.token == change.token:
        return Plan(_places(dialect, change), live.token_version or 0, {})
    version = live.version if live else 0
    if not matches(change.expect, version):
        raise _conflict(change, version)
    if live is None and not change.put:
        return Plan([], 0, {})
    if live and not change.put and not change.drop:
        return Plan(_touch(dialect, live, change), live.version, {})
    if live is None or any(one.kind is None for one in change.drop):
        return _new_life(dialect, head, live, change)
    return _go_on(dialect, live, change)


def answer(plan: Plan, rows: Iterable[Any], dialect: Dialect, change: Change) -> Commit:
    """What the caller is told: rows say where known records are."""
    if not change.keys:
        return Commit(plan.version, [])
    text = dialect.text
    known = {(text(kind), text(id)): int(seq) for kind, id, seq in rows}
    return Commit(plan.version, [known.get(k) or plan.seqs.get(k, 0) for k in change.keys])


def _touch(dialect: Dialect, live: Head, change: Change) -> list[Step]:
    expires = end(live, change)
    if expires == live.expires:
        return []
    return [(dialect.sql.touch, {"stream": change.stream, "expires": expires})]


def _new_life(dialect: Dialect, head: Head | None, live: Head | None, change: Change) -> Plan:
    """Whatever is there goes; `live` is what the life keeps of the one before."""
    where = {"stream": change.stream}
    gone: list[Step] = [(dialect.sql.drop_all, where)] if head else []
    if not change.put:
        return Plan([*gone, (dialect.sql.end_life, where)], 0, {})
    made = Head(birth(), head.seq if head else 0, end(live, change), None, None)
    text = dialect.sql.go_on if head else dialect.sql.begin_life
    return _write(dialect, text, made, gone, change)


def _go_on(dialect: Dialect, live: Head, change: Change) -> Plan:
    made = live._replace(version=live.version + 1, expires=end(live, change))
    drops = [step for one in change.drop for step in _drop(dialect, change.stream, one)]
    return _write(dialect, dialect.sql.go_on, made, drops, change)


def _write(dialect: Dialect, text: str, made: Head, drops: list[Step], change: Change) -> Plan:
    base, put = made.seq, change.put
    token = (made.token, made.token_version)
    if change.token is not None:
        token = (change.token, made.version)
    head = {
        "stream": change.stream,
        "version": made.version,
        "seq": base + len(put),
        "expires": made.expires,
        "token": token[0],
        "token_version": token[1],
    }
    steps = [*drops, (text, head)]
    if put:
        steps += dialect.put(change.stream, base, put, change.now)
    return Plan(steps, made.version, numbered(put, base))


def numbered(put: Sequence[Record], base: int) -> dict[Key, int]:
    """The seqs of records that are all new."""
    return {(record.kind, record.id): seq for seq, record in enumerate(put, base + 1)}


def _drop(dialect: Dialect, stream: str, drop: Drop) -> list[Step]:
    upto = LAST if drop.upto is None else drop.upto
    where = {"stream": stream, "kind": drop.kind, "upto": upto}
    if drop.ids is None:
        return [(dialect.sql.drop_range, where)]
    return dialect.by_ids(dialect.sql.drop_ids, where, drop.ids)


def _places(dialect: Dialect, change: Change) -> list[Step]:
    return places(dialect, change.stream, change.put, LAST)


def places(dialect: Dialect, stream: str, put: Sequence[Record], upto: int) -> list[Step]:
    """Where records are, as far as they stand at or before a seq."""
    kinds: dict[str, list[str]] = {}
    for record in put:
        kinds.setdefault(record.kind, []).append(record.id)
    steps: list[Step] = []
    for kind, ids in kinds.items():
        where = {"stream": stream, "kind": kind, "upto": upto}
        steps += dialect.by_ids(dialect.sql.places, where, ids)
    return steps


def end(live: Head | None, change: Change) -> float | None:
    """When the stream expires after the change."""
    if isinstance(change.ttl, Keep):
        return live.expires if live else None
    return None if change.ttl is None else change.now + change.ttl


def _conflict(change: Change, current: int) -> Conflict:
    return Conflict(
        f"stream {change.stream!r} is at version {current}, not {change.expect}: "
        "read it again and repeat the change",
        current=current,
    )
