"""Is there one order of the operations that explains every answer? (Wing and Gong's search.)

An operation may stand before another only if it was called before the other ended; one without
an answer may stand anywhere after its call, or nowhere.

A backend repeats a write without a condition whose first attempt lost its answer, since to do it
twice is to do it once: records keep their places. So a write that took long may stand twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from tests.linearizability.operations import NEVER, Operation

LONG = 0.02
"""Seconds after which a write may have been an attempt that lost its answer, and another one."""

MOST_STEPS = 2_000_000
"""So many states are looked at before the search gives up, which fails the test too."""


class StreamState(NamedTuple):
    """What a stream is after some operations; version 0 = there is no stream, -1 = not seen yet."""

    version: int = 0
    records: tuple[tuple[int, str], ...] = ()  # (seq, id), in their order; seq -1 = not seen yet


class Explained(NamedTuple):
    """Whether an order was found, and if not, the operations that no order could get past."""

    found: bool
    blocked: tuple[Operation, ...] = ()


def explain(operations: Iterable[Operation]) -> Explained:
    """Search an order of the operations on one stream that explains every answer."""
    history, repeated_by = _with_lost_attempts(operations)
    everything = (1 << len(history)) - 1
    optional = sum(1 << n for n, one in enumerate(history) if one.ended == NEVER)
    start = (0, StreamState())
    stack, seen = [start], {start}
    furthest = 0
    while stack:
        done, state = stack.pop()
        if (done | optional) == everything:
            return Explained(True)
        if (done & ~optional).bit_count() > (furthest & ~optional).bit_count():
            furthest = done
        for n in _possible(history, done):
            if n in repeated_by and done >> repeated_by[n] & 1:
                continue  # the attempt that was answered is the last one
            for after in _after(state, history[n]):
                following = (done | 1 << n, after)
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
        if len(seen) > MOST_STEPS:
            break
    return Explained(False, tuple(history[n] for n in _possible(history, furthest)))


def _with_lost_attempts(operations: Iterable[Operation]) -> tuple[list[Operation], dict[int, int]]:
    """The operations by their call, with attempts that may be lost, and what repeats these."""
    entries: list[tuple[Operation, Operation | None]] = []
    for one in operations:
        entries.append((one, None))
        if _may_be_repeated(one):
            entries.append((replace(one, ended=NEVER, answer=None), one))
    entries.sort(key=lambda entry: entry[0].called)
    places = {id(one): n for n, (one, _) in enumerate(entries)}
    repeated_by = {n: places[id(one)] for n, (_, one) in enumerate(entries) if one is not None}
    return [one for one, _ in entries], repeated_by


def _may_be_repeated(one: Operation) -> bool:
    is_write = one.verb != "read" and one.expect is None
    return is_write and one.answer is not None and one.ended - one.called > LONG


def _possible(history: Sequence[Operation], done: int) -> list[int]:
    """Which operations may come next: no other one that is missing ended before their call.

    Those without an answer come first, so that the search tries them last.
    """
    earliest_end = NEVER
    possible: list[int] = []
    for n, operation in enumerate(history):
        if done >> n & 1:
            continue
        if operation.called > earliest_end:
            break
        possible.append(n)
        earliest_end = min(earliest_end, operation.ended)
    return sorted(possible, key=lambda n: history[n].ended != NEVER)


def _after(state: StreamState, operation: Operation) -> Iterable[StreamState]:
    """The states that the operation may leave, given what was answered; none = impossible."""
    answer = operation.answer
    if operation.verb == "read":
        return _read(state, operation)
    if answer is not None and answer.get("conflict"):
        return [state] if state.version != operation.expect else []
    if operation.expect is not None and not _may_have(state, operation.expect):
        return []
    return _written(state, operation)


def _may_have(state: StreamState, version: int) -> bool:
    """Whether this may be the version of the stream: one not seen yet is any but 0."""
    return state.version == version or (state.version == -1 and version != 0)


def _read(state: StreamState, operation: Operation) -> Iterable[StreamState]:
    if operation.answer is None:
        return [state]
    version = operation.answer["version"]
    records = tuple((seq, id) for seq, id in operation.answer["records"])
    if (version == 0) != (state.version == 0) or state.version not in (-1, version):
        return []
    if len(records) != len(state.records):
        return []
    same = all(
        known_id == id and known in (-1, seq)
        for (known, known_id), (seq, id) in zip(state.records, records, strict=True)
    )
    return [StreamState(version, records)] if same else []


def _written(state: StreamState, operation: Operation) -> Iterable[StreamState]:
    version = -1 if operation.answer is None else operation.answer["version"]
    if operation.verb == "delete" or (operation.verb == "remove" and state.version == 0):
        return [StreamState()] if version in (-1, 0) else []
    if operation.verb == "touch":
        if version == -1:
            return [state]
        return [state._replace(version=version)] if _may_have(state, version) else []
    if version == 0 or (version != -1 and 0 < state.version >= version):
        return []  # a write that changes a living stream makes a later version
    if operation.verb == "remove":
        kept = tuple(record for record in state.records if record[1] not in operation.ids)
        return [StreamState(version, kept)]
    return _appended(state, operation, version)


def _appended(state: StreamState, operation: Operation, version: int) -> Iterable[StreamState]:
    answer = operation.answer
    seqs = [-1] * len(operation.ids) if answer is None else answer["seqs"]
    given = dict(zip(operation.ids, seqs, strict=True))
    known = {id: seq for seq, id in state.records}
    if any(known.get(id, -1) not in (-1, seq) for id, seq in given.items() if seq != -1):
        return []  # what is put again keeps its place
    new = [(seq, id) for id, seq in given.items() if id not in known]
    last = max(known.values(), default=-1)
    if answer is not None and [seq for seq, _ in new] != sorted({s for s, _ in new if s > last}):
        return []
    placed = ((max(seq, given.get(id, -1)), id) for seq, id in state.records)
    return [StreamState(version, (*placed, *new))]
