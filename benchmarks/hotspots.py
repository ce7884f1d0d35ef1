"""Where a turn spends its time, by cProfile: for whoever wants to make it faster."""

from __future__ import annotations

import cProfile
import pstats
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.messages import conversation, pairs
from benchmarks.plan import Plan
from benchmarks.report import Report, Table
from benchmarks.systems.threadkeep_core import ThreadkeepSqlite

_LENGTH: Final = 10_000
_TOP: Final = 22
_BLOCK: Final = 50  # turns profiled together
_SOURCES: Final = "threadkeep/"


class Cost(NamedTuple):
    """Of one function, per turn: calls, seconds in itself, seconds with what it calls."""

    calls: float
    own: float
    all: float


Profile = dict[tuple[str, int, str], Cost]


def run(plan: Plan) -> Report:
    """Profile the append and the reading of one system apart."""
    turns = plan.many(40) * _BLOCK
    message_pairs = pairs(turns, seed=6)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        system = ThreadkeepSqlite(Path(folder))
        system.append("long", conversation(_LENGTH))
        add = _profiled(lambda number: system.append("long", message_pairs[number]), turns)
        read = _profiled(lambda number: system.recent("long"), turns)
        system.close()
    return Report([_table("add", add), _table("window and to_openai", read)])


def _profiled(call: Callable[[int], object], turns: int) -> Profile:
    blocks = [_block(call, range(start, start + _BLOCK)) for start in range(0, turns, _BLOCK)]
    return {
        key: Cost(*map(statistics.median, zip(*(b[key] for b in blocks if key in b), strict=True)))
        for key in blocks[-1]
    }


def _block(call: Callable[[int], object], numbers: range) -> Profile:
    profile = cProfile.Profile()
    for number in numbers:
        profile.runcall(call, number)
    stats: Any = pstats.Stats(profile)
    return {
        key: Cost(calls / len(numbers), own_time / len(numbers), all_ / len(numbers))
        for key, (_, calls, own_time, all_, _) in stats.stats.items()
    }


def _table(name: str, profile: Profile) -> Table:
    order = sorted(profile.items(), key=lambda entry: -entry[1].own)[:_TOP]
    rows = [
        [_place(*key), f"{cost.calls:.1f}", f"{cost.own * 1e6:.1f}", f"{cost.all * 1e6:.1f}"]
        for key, cost in order
    ]
    return Table(
        f"hotspots: {name}, at {_LENGTH:,} messages",
        "Per turn under cProfile, which makes many small calls look dearer than they are: calls, "
        f"microseconds in the function itself, and with what it calls; medians of {_BLOCK} turns.",
        ("function", "calls", "itself", "with calls"),
        rows,
    )


def _place(file: str, line: int, function: str) -> str:
    _, ours, inside = file.rpartition(_SOURCES)
    if ours:
        return f"{inside}:{line} {function}"
    return function if file == "~" else f"{Path(file).name}:{line} {function}"
