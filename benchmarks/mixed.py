"""Mixed load: threads that mostly read and sometimes append, each in sessions of its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.messages import conversation, pairs
from benchmarks.plan import Plan
from benchmarks.report import Report, Table
from benchmarks.systems import System
from benchmarks.timing import Laps, interleaved, median, timed

_THREADS: Final = 4
_SESSIONS: Final = 8  # of each thread
_BEGUN: Final = 100  # messages in each
_CALLS: Final = 50  # of each thread in a round
_READS: Final = 0.8
_PATIENCE: Final = 4.0  # seconds for one system


def run(plan: Plan) -> Report:
    """Measure all systems round by round, by turns."""
    rounds = plan.many(30)
    with ExitStack() as stack:
        calls = {name: _crew(stack, make) for name, make in plan.systems.items()}
        laps_by_system = interleaved(calls, rounds, _PATIENCE)
    rate = {name: _THREADS * _CALLS / median(laps) for name, laps in laps_by_system.items()}
    raws: dict[str, str] = {name: make.raw for name, make in plan.systems.items()}  # type: ignore[attr-defined]
    table = Table(
        f"mixed: {_THREADS} threads, {_READS:.0%} obtain the last 20 messages, the rest append 2",
        f"Calls per second of all threads, by the median round; {_SESSIONS} sessions of each "
        f"thread, begun with {_BEGUN} messages. threadkeep: one Memory for all threads; the "
        "others: a connection for each.",
        ("system", "calls/s", "of raw"),
        [[name, f"{rate[name]:,.0f}", f"{rate[name] / rate[raws[name]]:.2f}"] for name in rate],
    )
    return Report([table], data={name: {"calls_per_second": value} for name, value in rate.items()})


def _crew(stack: ExitStack, make: Callable[[Path], System]) -> Callable[[int], Laps]:
    """What one round of all threads does."""
    first = _opened(stack, make)
    alone = not getattr(make, "shared", False)
    systems = [first, *(_opened(stack, make) if alone else first for _ in range(1, _THREADS))]
    pool = stack.enter_context(ThreadPoolExecutor(_THREADS))
    threads = [_Thread(system, number) for number, system in enumerate(systems)]
    list(pool.map(_Thread.begin, threads))
    return timed(lambda _: list(pool.map(_Thread.round, threads)))


def _opened(stack: ExitStack, make: Callable[[Path], System]) -> System:
    folder = stack.enter_context(TemporaryDirectory(prefix="bench-"))
    system = make(Path(folder))
    stack.callback(system.close)
    return system


class _Thread:
    """The sessions of one thread, and what it does next; the same at every run."""

    def __init__(self, system: System, number: int) -> None:
        self._system = system
        self._dice = random.Random(number)
        self._sessions = [f"thread-{number}-{n}" for n in range(_SESSIONS)]
        self._said: list[Any] = list(pairs(500, seed=number))

    def begin(self) -> None:
        for session in self._sessions:
            self._system.append(session, conversation(_BEGUN))

    def round(self) -> None:
        for _ in range(_CALLS):
            session = self._dice.choice(self._sessions)
            if self._dice.random() < _READS:
                self._system.recent(session)
            else:
                self._system.append(session, self._dice.choice(self._said))
