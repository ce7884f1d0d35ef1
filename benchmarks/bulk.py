"""Bulk import: messages per second in batches of 1,000."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from benchmarks.messages import Message, conversation
from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table
from benchmarks.systems import OURS, System
from benchmarks.timing import Laps, interleaved, median, timed

_BATCH: Final = 1_000
_PATIENCE: Final = 3.0  # seconds for one system


def run(plan: Plan) -> Report:
    """Measure all systems batch by batch, by turns."""
    rounds = plan.many(50)
    history = conversation(rounds * _BATCH)
    with plan.opened() as systems:
        calls = {name: _import(system, history) for name, system in systems.items()}
        laps_by_system = interleaved(calls, rounds, _PATIENCE)
        raws = {name: system.raw for name, system in systems.items()}
    rate = {name: _BATCH / median(laps) for name, laps in laps_by_system.items()}
    share = {name: rate[name] / rate[raws[name]] for name in rate}
    table = Table(
        "bulk: import of a long history in batches of 1,000",
        "Messages per second, by the median batch; batch by batch by turns. threadkeep: "
        "chat.add(*thousand). raw_sqlite: executemany of a thousand rows in a transaction.",
        ("system", "messages/s", "of raw"),
        [[name, f"{rate[name]:,.0f}", f"{share[name]:.2f}"] for name in rate],
    )
    bars = [
        Bar("bulk import, of raw sqlite3's rate", 0.33, share[name], "", least=True)
        for name in share
        if name == OURS
    ]
    return Report([table], bars, _data(rate))


def _import(system: System, history: list[Message]) -> Callable[[int], Laps]:
    def batch(number: int) -> None:
        system.append("import", history[number * _BATCH : (number + 1) * _BATCH])

    return timed(batch)


def _data(rate: dict[str, float]) -> dict[str, Any]:
    return {name: {"messages_per_second": value} for name, value in rate.items()}
