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
    random_source = random.Random(writer)  # noqa: S311 (not for secrets)
    deadline = time.monotonic() + seconds
    acks: list[Ack] = []
    for commit_index in range(commits):
        if commit_index and time.monotonic() > deadline:
            break
        dice_roll = random_source.random()
        if acks and dice_roll < 0.1:
            batch_ids = acks[-1].ids
        elif dice_roll < 0.2:
            batch_ids = [random_source.choice(SHARED_IDS)]
        else:
            batch_ids = [
                f"{writer}-{commit_index}-{record_number}"
                for record_number in range(random_source.randint(1, 4))
            ]
        records = [
            Record("item", record_id, f'{{"by":"{writer}"}}', now) for record_id in batch_ids
        ]
        acks.append(Ack(batch_ids, *backend.commit(stream, put=records, now=now)))
    return acks


def increment(backend: Backend, stream: str, count: int, now: float) -> None:
    """Increment a counter `count` times by compare-and-set."""
    while count:
        (page,) = backend.read(Query(stream, "item"), now=now)
        counter_value = int(page.records[0].body) if page.records else 0
        counter_record = Record("item", "counter", str(counter_value + 1), now)
        try:
            backend.commit(stream, put=[counter_record], expect=page.version, now=now)
        except Conflict:
            continue
        count -= 1


def check_acks(acks: Sequence[Ack], records: Sequence[Record]) -> None:
    """Compare the acknowledged commits with the stored records.

    Raises:
        AssertionError: a record was lost, duplicated, added, split from its batch, or misreported.
    """
    seq_by_id = {record.id: record.seq for record in records}
    stored_seqs = [record.seq for record in records]
    _require(len(seq_by_id) == len(records), "an id is stored twice")
    _require(stored_seqs == sorted(set(stored_seqs)), "seqs are not strictly increasing")
    acknowledged_pairs = [pair for ack in acks for pair in zip(ack.ids, ack.seqs, strict=True)]
    _require(
        set(acknowledged_pairs) == set(seq_by_id.items()),
        "what was acknowledged is not what is stored",
    )
    versions = [ack.version for ack in acks]
    _require(len(set(versions)) == len(versions), "two commits made one version")
    index_by_id = {record.id: record_index for record_index, record in enumerate(records)}
    for ack in acks:
        batch_indexes = [index_by_id[record_id] for record_id in ack.ids]
        _require(
            batch_indexes == list(range(batch_indexes[0], batch_indexes[0] + len(batch_indexes))),
            "a batch was split",
        )
    acks_in_order = sorted(acks, key=lambda ack: ack.version)
    seqs_in_order = dict.fromkeys(seq for ack in acks_in_order for seq in ack.seqs)
    _require(
        list(seqs_in_order) == sorted(seqs_in_order), "seqs do not follow the order of commits"
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def run_in_processes(target: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run each `target(*call)` in a new process, all at once; returns their results.

    Raises:
        AssertionError: a process failed; it holds the traceback.
    """
    spawn_context = multiprocessing.get_context("spawn")
    pipes = [spawn_context.Pipe(duplex=False) for _ in calls]
    child_processes = [
        spawn_context.Process(target=_run_child, args=(sending_end, target, arguments))
        for (_, sending_end), arguments in zip(pipes, calls, strict=True)
    ]
    for child_process in child_processes:
        child_process.start()
    for _, sending_end in pipes:
        sending_end.close()
    outcomes = [receiving_end.recv() for receiving_end, _ in pipes]
    for child_process, (receiving_end, _) in zip(child_processes, pipes, strict=True):
        child_process.join()
        child_process.close()
        receiving_end.close()
    tracebacks = [traceback_text for traceback_text, _ in outcomes if traceback_text]
    _require(not tracebacks, "\n".join(tracebacks))
    return [call_result for _, call_result in outcomes]


def _run_child(pipe: Any, target: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        pipe.send((None, target(*arguments)))
    except BaseException:
        pipe.send((traceback.format_exc(), None))
    pipe.close()


def append_in_threads(
    open_backend: Callable[[], Backend], streams: Sequence[str], process: int, now: float
) -> dict[str, list[Ack]]:
    """Append to every stream from four threads of one process; returns the acks by stream."""
    backend = open_backend()
    seconds_per_stream = 1.0 / len(streams)

    def write(thread: int) -> list[tuple[str, list[Ack]]]:
        writer_name = f"p{process}t{thread}"
        return [
            (
                stream,
                append_batches(
                    backend, stream, writer_name, commits=60, seconds=seconds_per_stream, now=now
                ),
            )
            for stream in streams
        ]

    try:
        acks_by_stream: dict[str, list[Ack]] = {stream: [] for stream in streams}
        for stream_acks in run_in_threads(
            *(partial(write, thread_number) for thread_number in range(4))
        ):
            for stream_name, acks in stream_acks:
                acks_by_stream[stream_name] += acks
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
