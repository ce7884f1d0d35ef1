"""Concurrent threads and processes on one store; without pytest, so that children start fast."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from threadkeep.errors import Conflict
from threadkeep.protocols import Backend
from threadkeep.types import Query, Record

SHARED_IDS = [f"shared-{n}" for n in range(7)]


def run_in_threads(*calls: Callable[[], Any]) -> list[Any]:
    """Run each call in its own thread, all at once; returns results or raises the first error."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


class Ack(NamedTuple):
    """An acknowledged commit: the ids of the batch, the version and the seqs."""

    ids: list[str]
    version: int
    seqs: list[int]


def append_batches(
    backend: Backend, stream: str, writer: str, *, commits: int, seconds: float, now: float
) -> list[Ack]:
    """Append batches of 1 to 4; one in ten repeats the last one, one in ten puts a shared id."""
    rng = random.Random(writer)  # noqa: S311 (not for secrets)
    deadline = time.monotonic() + seconds
    acks: list[Ack] = []
    for n in range(commits):
        if n and time.monotonic() > deadline:
            break
        roll = rng.random()
        if acks and roll < 0.1:
            batch = acks[-1].ids
        elif roll < 0.2:
            batch = [rng.choice(SHARED_IDS)]
        else:
            batch = [f"{writer}-{n}-{part}" for part in range(rng.randint(1, 4))]
        put = [Record("item", id, f'{{"by":"{writer}"}}', now) for id in batch]
        acks.append(Ack(batch, *backend.commit(stream, put=put, now=now)))
    return acks


def increment(backend: Backend, stream: str, count: int, now: float) -> None:
    """Increment a counter `count` times by compare-and-set."""
    while count:
        (page,) = backend.read(Query(stream, "item"), now=now)
        value = int(page.records[0].body) if page.records else 0
        record = Record("item", "counter", str(value + 1), now)
        try:
            backend.commit(stream, put=[record], expect=page.version, now=now)
        except Conflict:
            continue
        count -= 1


def check_acks(acks: Sequence[Ack], records: Sequence[Record]) -> None:
    """Compare the acknowledged commits with the stored records.

    Raises:
        AssertionError: a record was lost, duplicated, added, split from its batch, or misreported.
    """
    stored = {record.id: record.seq for record in records}
    order = [record.seq for record in records]
    _require(len(stored) == len(records), "an id is stored twice")
    _require(order == sorted(set(order)), "seqs are not strictly increasing")
    acknowledged = [pair for ack in acks for pair in zip(ack.ids, ack.seqs, strict=True)]
    _require(
        set(acknowledged) == set(stored.items()), "what was acknowledged is not what is stored"
    )
    versions = [ack.version for ack in acks]
    _require(len(set(versions)) == len(versions), "two commits made one version")
    position_of = {record.id: n for n, record in enumerate(records)}
    for ack in acks:
        positions = [position_of[id] for id in ack.ids]
        _require(
            positions == list(range(positions[0], positions[0] + len(positions))),
            "a batch was split",
        )
    in_order = sorted(acks, key=lambda ack: ack.version)
    first = dict.fromkeys(seq for ack in in_order for seq in ack.seqs)
    _require(list(first) == sorted(first), "seqs do not follow the order of commits")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def run_in_processes(target: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run each `target(*call)` in a new process, all at once; returns their results.

    Raises:
        AssertionError: a process failed; it holds the traceback.
    """
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in calls]
    children = [
        context.Process(target=_run_child, args=(send, target, call))
        for (_, send), call in zip(pipes, calls, strict=True)
    ]
    for child in children:
        child.start()
    for _, send in pipes:
        send.close()
    results = [receive.recv() for receive, _ in pipes]
    for child, (receive, _) in zip(children, pipes, strict=True):
        child.join()
        child.close()
        receive.close()
    errors = [error for error, _ in results if error]
    _require(not errors, "\n".join(errors))
    return [result for _, result in results]


def _run_child(pipe: Any, target: Callable[..., Any], call: tuple[Any, ...]) -> None:
    try:
        pipe.send((None, target(*call)))
    except BaseException:
        pipe.send((traceback.format_exc(), None))
    pipe.close()


def append_in_threads(
    open_backend: Callable[[], Backend], streams: Sequence[str], process: int, now: float
) -> dict[str, list[Ack]]:
    """Append to every stream from four threads of one process; returns the acks by stream."""
    backend = open_backend()
    share = 1.0 / len(streams)

    def write(thread: int) -> list[tuple[str, list[Ack]]]:
        writer = f"p{process}t{thread}"
        return [
            (s, append_batches(backend, s, writer, commits=60, seconds=share, now=now))
            for s in streams
        ]

    try:
        acks_by_stream: dict[str, list[Ack]] = {stream: [] for stream in streams}
        for written in run_in_threads(*(partial(write, n) for n in range(4))):
            for stream, acks in written:
                acks_by_stream[stream] += acks
        return acks_by_stream
    finally:
        backend.close()


def increment_in_threads(open_backend: Callable[[], Backend], stream: str, now: float) -> None:
    """Increment by ten from each of four threads of one process."""
    backend = open_backend()
    try:
        run_in_threads(*[lambda: increment(backend, stream, 10, now)] * 4)
    finally:
        backend.close()
