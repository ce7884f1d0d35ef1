"""Processes of threads that append batches until the time is up, and what they were told."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final, NamedTuple

import threadkeep
from benchmarks.systems.raw_sqlite import RawSqlite

PROCESSES: Final = 4
THREADS: Final = 4

Append = Callable[[str, list[str]], list[int]]
"""Append texts to a session; their seqs."""
Writers = Callable[[str], list[Append]]
"""Open a folder for one process: one `Append` per thread."""


class Ack(NamedTuple):
    """What a writer was told of one batch: `end` and `seconds` by the system's monotonic clock."""

    session: str
    writer: str
    number: int
    texts: list[str]
    seqs: list[int]
    end: float
    seconds: float


_barrier: Barrier


def write(writers: Writers, folder: str, sessions: Sequence[str], seconds: float) -> list[Ack]:
    """Let all processes write into a folder, from one moment on."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES, timeout=120)
    with ProcessPoolExecutor(PROCESSES, context, _ready, (barrier,)) as pool:
        tasks = [
            pool.submit(_process, writers, folder, sessions, seconds, number)
            for number in range(PROCESSES)
        ]
        return [ack for task in tasks for ack in task.result()]


def threadkeep_writers(folder: str) -> list[Append]:
    """One Memory; the first half of the threads share one handle per session."""
    memory = threadkeep.connect(Path(folder, "chat.db"), timeout=60)
    shared = _handles(memory)
    half = THREADS // 2
    return [shared] * half + [_handles(memory) for _ in range(THREADS - half)]


def raw_writers(folder: str) -> list[Append]:
    """A connection per thread, which knows no seqs."""
    return [_plain(RawSqlite(Path(folder))) for _ in range(THREADS)]


def _handles(memory: threadkeep.Memory) -> Append:
    chats: dict[str, threadkeep.Session] = {}

    def append(session: str, texts: list[str]) -> list[int]:
        chat = chats.get(session) or chats.setdefault(session, memory.session(session))
        return [item.seq for item in chat.add(*texts)]

    return append


def _plain(raw: RawSqlite) -> Append:
    def append(session: str, texts: list[str]) -> list[int]:
        raw.append(session, [{"role": "user", "content": text} for text in texts])
        return []

    return append


def _ready(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _go() -> None:
    """The last thread of this process is ready; wait for the other processes."""
    _barrier.wait()


def _process(
    writers: Writers, folder: str, sessions: Sequence[str], seconds: float, number: int
) -> list[Ack]:
    appends = writers(folder)
    start = threading.Barrier(THREADS, _go)

    def thread(place: int) -> list[Ack]:
        start.wait()
        return _until(appends[place], sessions, seconds, f"p{number}t{place}")

    with ThreadPoolExecutor(THREADS) as pool:
        return [ack for acks in pool.map(thread, range(THREADS)) for ack in acks]


def _until(append: Append, sessions: Sequence[str], seconds: float, writer: str) -> list[Ack]:
    """Batches of 2 to 4 to one session after the other, each text unlike any other."""
    begun, acks = time.monotonic(), list[Ack]()
    first = sum(map(ord, writer))
    while (start := time.monotonic()) < begun + seconds:
        number = len(acks)
        session = sessions[(first + number) % len(sessions)]
        texts = [f"{writer} {number} {part} {'x' * 300}" for part in range(2 + number % 3)]
        seqs = append(session, texts)
        end = time.monotonic()
        acks.append(Ack(session, writer, number, texts, seqs, end, end - start))
    return acks
