"""Many threads and processes at one store at once, without pytest, so that children start fast."""

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

SHARED = [f"shared-{n}" for n in range(7)]


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls in a thread each, started at one moment; their results, or the first error."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


class Ack(NamedTuple):
    """What a writer was told: the ids of a batch, the version and the seqs."""

    ids: list[str]
    version: int
    seqs: list[int]


def write_batches(
    backend: Backend, stream: str, writer: str, *, commits: int, seconds: float, now: float
) -> list[Ack]:
    """Append batches of 1 to 4; one in ten repeats the last one, one in ten puts a shared id."""
    dice = random.Random(writer)  # noqa: S311 (not for secrets)
    end = time.monotonic() + seconds
    acks: list[Ack] = []
    for n in range(commits):
        if n and time.monotonic() > end:
            break
        roll = dice.random()
        if acks and roll < 0.1:
            batch = acks[-1].ids
        elif roll < 0.2:
            batch = [dice.choice(SHARED)]
        else:
            batch = [f"{writer}-{n}-{part}" for part in range(dice.randint(1, 4))]
        put = [Record("item", id, f'{{"by":"{writer}"}}', now) for id in batch]
        acks.append(Ack(batch, *backend.commit(stream, put=put, now=now)))
    return acks


def count_up(backend: Backend, stream: str, times: int, now: float) -> None:
    """Increment a number by compare-and-set, so often."""
    while times:
        (page,) = backend.read(Query(stream, "item"), now=now)
        value = int(page.records[0].body) if page.records else 0
        record = Record("item", "counter", str(value + 1), now)
        try:
            backend.commit(stream, put=[record], expect=page.version, now=now)
        except Conflict:
            continue
        times -= 1


def check_acks(acks: Sequence[Ack], records: Sequence[Record]) -> None:
    """Compare what the writers were told with what is stored.

    Raises:
        AssertionError: something was lost, doubled, added, split, or told wrongly.
    """
    stored = {record.id: record.seq for record in records}
    order = [record.seq for record in records]
    _claim(len(stored) == len(records), "an id is stored twice")
    _claim(order == sorted(set(order)), "seqs are not strictly increasing")
    told = [pair for ack in acks for pair in zip(ack.ids, ack.seqs, strict=True)]
    _claim(set(told) == set(stored.items()), "what was acknowledged is not what is stored")
    versions = [ack.version for ack in acks]
    _claim(len(set(versions)) == len(versions), "two commits made one version")
    place = {record.id: n for n, record in enumerate(records)}
    for ack in acks:
        places = [place[id] for id in ack.ids]
        _claim(places == list(range(places[0], places[0] + len(places))), "a batch was split")
    in_order = sorted(acks, key=lambda ack: ack.version)
    first = dict.fromkeys(seq for ack in in_order for seq in ack.seqs)
    _claim(list(first) == sorted(first), "seqs do not follow the order of commits")


def _claim(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def in_processes(target: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run `target(*call)` in a fresh process each, at once; their results.

    Raises:
        AssertionError: a process failed; with its traceback.
    """
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in calls]
    children = [
        context.Process(target=_child, args=(send, target, call))
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
    _claim(not errors, "\n".join(errors))
    return [result for _, result in results]


def _child(pipe: Any, target: Callable[..., Any], call: tuple[Any, ...]) -> None:
    try:
        pipe.send((None, target(*call)))
    except BaseException:
        pipe.send((traceback.format_exc(), None))
    pipe.close()


def writing_process(
    open_backend: Callable[[], Backend], streams: Sequence[str], process: int, now: float
) -> dict[str, list[Ack]]:
    """Four threads of one process, each writing to every stream; what they were told, by stream."""
    backend = open_backend()
    share = 1.0 / len(streams)

    def write(thread: int) -> list[tuple[str, list[Ack]]]:
        writer = f"p{process}t{thread}"
        return [
            (s, write_batches(backend, s, writer, commits=60, seconds=share, now=now))
            for s in streams
        ]

    try:
        told: dict[str, list[Ack]] = {stream: [] for stream in streams}
        for written in together(*(partial(write, n) for n in range(4))):
            for stream, acks in written:
                told[stream] += acks
        return told
    finally:
        backend.close()


def counting_process(open_backend: Callable[[], Backend], stream: str, now: float) -> None:
    """Four threads of one process, each adding ten by compare-and-set."""
    backend = open_backend()
    try:
        together(*[lambda: count_up(backend, stream, 10, now)] * 4)
    finally:
        backend.close()
