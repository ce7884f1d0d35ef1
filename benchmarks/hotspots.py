"""Where a turn spends its time, by cProfile: for whoever wants to make it faster."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.messages import conversation, pairs
from benchmarks.plan import Plan
from benchmarks.report import Report, Table
from benchmarks.systems.threadkeep_core import ThreadkeepSqlite

_LENGTH: Final = 10_000
_TOP: Final = 22
_SOURCES: Final = "threadkeep/"


def run(plan: Plan) -> Report:
    """Profile the append and the reading of one system apart."""
    turns = plan.many(1_000)
    said = pairs(turns, seed=6)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        system = ThreadkeepSqlite(Path(folder))
        system.append("long", conversation(_LENGTH))
        add = _profiled(lambda number: system.append("long", said[number]), turns)
        read = _profiled(lambda number: system.recent("long"), turns)
        system.close()
    return Report([_table("add", add, turns), _table("window and to_openai", read, turns)])


def _profiled(call: Callable[[int], object], turns: int) -> dict[Any, Any]:
    profile = cProfile.Profile()
    for number in range(turns):
        profile.runcall(call, number)
    stats: Any = pstats.Stats(profile)
    return dict(stats.stats)


def _table(name: str, stats: dict[Any, Any], turns: int) -> Table:
    order = sorted(stats.items(), key=lambda entry: -entry[1][2])
    rows = [
        [
            _place(*key),
            f"{calls / turns:.1f}",
            f"{own / turns * 1e6:.1f}",
            f"{all_ / turns * 1e6:.1f}",
        ]
        for key, (_, calls, own, all_, _) in order[:_TOP]
    ]
    return Table(
        f"hotspots: {name}, at {_LENGTH:,} messages",
        "Per turn under cProfile, which makes many small calls look dearer than they are: calls, "
        "microseconds in the function itself, and with what it calls.",
        ("function", "calls", "itself", "with calls"),
        rows,
    )


def _place(file: str, line: int, function: str) -> str:
    _, ours, inside = file.rpartition(_SOURCES)
    if ours:
        return f"{inside}:{line} {function}"
    return function if file == "~" else f"{Path(file).name}:{line} {function}"
