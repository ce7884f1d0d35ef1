"""LangGraph's checkpointers: bytes and processor time of a turn, as a thread grows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.checkpointers import CONFIG, SNAPSHOTS, TEXT, Opened, graph_on, open_saver, say
from benchmarks.messages import plain
from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table, times
from benchmarks.timing import Laps, interleaved, median, processor

LENGTHS: Final = (200, 2_000, 10_000)
"""Turns of the thread whose next turns are measured."""

TIMED: Final = (
    *("SqliteSaver", "InMemorySaver", "ours", "ours, cold"),
    *("PostgresSaver", "ours on PostgreSQL", "ours on PostgreSQL, cold"),
)
DELTA: Final = ("SqliteSaver, delta", "PostgresSaver, delta")
WHOLE: Final = (("SqliteSaver", 200), ("SqliteSaver, delta", 200), ("ours", 200), ("ours", 1_000))
"""Threads of which each turn is said; the square of a peer's turns ends at 200."""

_PATIENCE: Final = 8.0
_ROUNDS: Final = 20

Case = tuple[str, int]
"""A checkpointer and the turns of its thread."""


def run(plan: Plan) -> Report:
    """Weigh and time the same graph of one node on each checkpointer."""
    lengths = (10, 200) if plan.quick else LENGTHS
    whole = {(n, t): _whole(n, t) for n, t in WHOLE if t == 200 or not plan.quick}
    laps: dict[Case, list[Laps]] = {}
    sizes: dict[Case, float] = {}
    for length in lengths:
        with _threads(TIMED, length) as threads:
            laps |= _timed(threads, plan.many(_ROUNDS), sizes)
        with _threads(DELTA, length) as threads:
            sizes |= {case: thread.weigh(SNAPSHOTS // 2) for case, thread in threads.items()}
    data = {
        "whole": {f"{name}/{turns}": size for (name, turns), size in whole.items()},
        "bytes": {f"{name}/{length}": size for (name, length), size in sizes.items()},
        "cpu": {f"{name}/{length}": median(found) for (name, length), found in laps.items()},
    }
    tables = [_growth(sizes, lengths), _cost(laps, lengths), _files(whole)]
    return Report(tables, _bars(whole, sizes, laps, lengths), data)


class Thread:
    """A thread of some turns, of which more are said."""

    def __init__(self, opened: Opened, length: int, *, delta: bool, cold: bool) -> None:
        self._opened, self._cold = opened, cold
        self._graph = graph_on(opened.saver, delta=delta)
        self._messages = plain(2_000, TEXT, seed=6)
        if length:
            messages = plain(2 * length, TEXT)
            self._graph.update_state(CONFIG, {"messages": messages}, as_node="answer")
        self.size = opened.size
        self.turns = 0

    def say(self, _: int = 0) -> None:
        """The next turn."""
        if self._cold:
            self._opened.cool()
        say(self._graph, self._messages[self.turns % 2_000]["content"])
        self.turns += 1

    def weigh(self, turns: int) -> float:
        """Bytes of each of the next turns."""
        before = self.size()
        for _ in range(turns):
            self.say()
        return (self.size() - before) / turns


@contextmanager
def _threads(names: tuple[str, ...], length: int) -> Iterator[dict[Case, Thread]]:
    """A thread of this length on each checkpointer."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place, ExitStack() as stack:
        threads = {}
        for name in names:
            folder = Path(place) / name
            folder.mkdir()
            how: Any = {"delta": "delta" in name, "cold": "cold" in name}
            threads[name, length] = Thread(open_saver(stack, name, folder), length, **how)
        yield threads


def _timed(
    threads: dict[Case, Thread], rounds: int, sizes: dict[Case, float]
) -> dict[Case, list[Laps]]:
    """Processor time of the next turns; what each added goes into `sizes`."""
    for thread in threads.values():
        thread.say()  # what only a first turn pays, such as reading what is there
    before = {case: thread.size() for case, thread in threads.items()}
    turns: dict[Case, Callable[[int], Laps]]
    turns = {case: processor(thread.say) for case, thread in threads.items()}
    laps = interleaved(turns, rounds, _PATIENCE)
    for case, thread in threads.items():
        sizes[case] = (thread.size() - before[case]) / len(laps[case])
    return laps


def _whole(name: str, turns: int) -> float:
    """Bytes of a thread of so many turns, each of them said."""
    with _threads((name,), 0) as threads:
        (thread,) = threads.values()
        for _ in range(turns):
            thread.say()
        return thread.size()


def _growth(sizes: dict[Case, float], lengths: tuple[int, ...]) -> Table:
    names = dict.fromkeys(name for name, _ in sizes if "cold" not in name)
    return Table(
        "checkpoints: kilobytes that a turn adds",
        f"To a thread of so many turns of {2 * TEXT} characters, once the log of the database is "
        "written into it. delta: with LangGraph's DeltaChannel, a snapshot at every "
        f"{SNAPSHOTS}th update, that is every {SNAPSHOTS // 2} turns.",
        ("checkpointer", *(f"at {length:,} turns" for length in lengths)),
        [[name, *(f"{sizes[name, n] / 1e3:,.1f}" for n in lengths)] for name in names],
    )


def _cost(laps: dict[Case, list[Laps]], lengths: tuple[int, ...]) -> Table:
    def cell(name: str, length: int) -> str:
        cpu = median(laps[name, length])
        return f"{cpu * 1e3:,.1f} ({times(cpu / median(laps[_peer(name), length]))})"

    return Table(
        "checkpoints: milliseconds of processor time for a turn",
        "Of this process, with what LangGraph itself takes; not of a server. In brackets: "
        "SqliteSaver = 1, or PostgresSaver = 1. cold: what the process knew of the thread is "
        "forgotten before each turn.",
        ("checkpointer", *(f"at {length:,} turns" for length in lengths)),
        [[name, *(cell(name, n) for n in lengths)] for name in TIMED],
    )


def _files(whole: dict[Case, float]) -> Table:
    return Table(
        "checkpoints: the file of a whole thread",
        "All its turns said one after the other.",
        ("checkpointer", "turns", "kB per turn", "MB in all"),
        [
            [name, f"{turns:,}", f"{size / turns / 1e3:,.1f}", f"{size / 1e6:,.1f}"]
            for (name, turns), size in whole.items()
        ],
    )


def _peer(name: str) -> str:
    return "PostgresSaver" if "Postgre" in name else "SqliteSaver"


def _bars(
    whole: dict[Case, float],
    sizes: dict[Case, float],
    laps: dict[Case, list[Laps]],
    lengths: tuple[int, ...],
) -> list[Bar]:
    def ratio(name: str, length: int) -> float:
        return median(laps[name, length]) / median(laps[_peer(name), length])

    longest = max(turns for name, turns in whole if name == "ours")
    return [
        Bar("checkpoints: 200 turns, SqliteSaver's bytes by ours", 20,
            whole["SqliteSaver", 200] / whole["ours", 200], least=True),
        Bar(f"checkpoints: {longest:,} turns, kB per turn", 8,
            whole["ours", longest] / longest / 1e3, " kB"),
        Bar(f"checkpoints: kB that a turn adds at {lengths[-1]:,}", 8,
            sizes["ours", lengths[-1]] / 1e3, " kB"),
        *(Bar(f"checkpoints: a cold turn at {n:,}", 1.2, ratio("ours, cold", n)) for n in lengths),
        Bar(f"checkpoints: a warm turn at {lengths[-1]:,}", 0.5, ratio("ours", lengths[-1])),
        Bar(f"checkpoints: a warm turn at {lengths[-1]:,}, PostgresSaver = 1", 0.5,
            ratio("ours on PostgreSQL", lengths[-1])),
    ]  # fmt: skip
