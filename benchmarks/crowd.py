"""Many processes and threads appending at once: how fast, and whether anything goes wrong."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import threadkeep
from benchmarks.plan import Plan
from benchmarks.report import Report, Table
from benchmarks.writers import PROCESSES, THREADS, Ack, raw_writers, threadkeep_writers, write
from threadkeep import Item

_SECONDS: Final = 3.0
_FAULTS: Final = ("lost", "doubled", "out of order", "split")


def run(plan: Plan) -> Report:
    """Append for some seconds to 1 session, then to 50; check what is stored."""
    seconds = 0.5 if plan.quick else _SECONDS
    report, rows = Report(data=[]), []
    for count in (1, 50):
        sessions = [f"session {n}" for n in range(count)]
        rows.append(_row("raw_sqlite", count, _raw(sessions, seconds), None))
        acks, faults = _ours(sessions, seconds)
        rows.append(_row("threadkeep_sqlite", count, acks, faults))
        report.faults += [
            f"crowd: {number} {fault} with {count} sessions" for fault, number in faults.items()
        ]
        report.data.append({"sessions": count, "commits": len(acks), "seconds": seconds})
    report.tables.append(_table(rows))
    return report


def _table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(
        f"crowd: {PROCESSES} processes of {THREADS} threads append batches of 2 to 4",
        "Commits per second of all writers, milliseconds of one commit as its writer waits, and "
        "what the file shows afterwards. Lost: acknowledged, but missing. Doubled: stored twice, "
        "or never acknowledged. Out of order: not at the seq that was acknowledged, seqs that do "
        "not rise, a writer's batches in another order than it wrote them. Split: batches with "
        "something else inside. raw_sqlite: one connection per thread. Half of the threads of a "
        "threadkeep process share their session handles.",
        ("system", "sessions", "commits/s", "median ms", "p99 ms", *_FAULTS),
        rows,
    )


def _row(name: str, sessions: int, acks: Sequence[Ack], faults: Counter[str] | None) -> list[str]:
    waits = sorted(ack.seconds for ack in acks)
    elapsed = max(ack.end for ack in acks) - min(ack.end - ack.seconds for ack in acks)
    found = ["-" if faults is None else str(faults[fault]) for fault in _FAULTS]
    middle, late = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    rate = f"{len(acks) / elapsed:,.0f}"
    return [name, str(sessions), rate, f"{middle * 1e3:.1f}", f"{late * 1e3:.0f}", *found]


def _raw(sessions: Sequence[str], seconds: float) -> list[Ack]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return write(raw_writers, folder, sessions, seconds)


def _ours(sessions: Sequence[str], seconds: float) -> tuple[list[Ack], Counter[str]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        acks = write(threadkeep_writers, folder, sessions, seconds)
        with threadkeep.connect(Path(folder, "chat.db")) as memory:
            faults: Counter[str] = Counter()
            for name in sessions:
                mine = [ack for ack in acks if ack.session == name]
                faults += check(mine, memory.session(name).items())
    return acks, faults


def check(acks: Sequence[Ack], items: Sequence[Item]) -> Counter[str]:
    """What is wrong with a session, given what its writers were told; empty if nothing is."""
    stored = Counter(item.text for item in items)
    acknowledged = Counter(text for ack in acks for text in ack.texts)
    place = {item.text: n for n, item in enumerate(items)}
    seqs = {item.text: item.seq for item in items}
    stored_acks = [ack for ack in acks if all(text in place for text in ack.texts)]
    return +Counter(
        {
            "lost": (acknowledged - stored).total(),
            "doubled": (stored - acknowledged).total(),
            "out of order": _disorder(stored_acks, place, seqs),
            "split": sum(_split([place[text] for text in ack.texts]) for ack in stored_acks),
        }
    )


def _disorder(acks: Sequence[Ack], place: dict[str, int], seqs: dict[str, int]) -> int:
    acknowledged = sum(
        seqs[text] != seq for ack in acks for text, seq in zip(ack.texts, ack.seqs, strict=True)
    )
    order = [seqs[text] for text in sorted(place, key=place.__getitem__)]
    sinking = sum(before >= after for before, after in itertools.pairwise(order))
    last: dict[str, int] = {}
    late = 0
    for ack in sorted(acks, key=lambda ack: ack.number):
        late += place[ack.texts[0]] < last.get(ack.writer, -1)
        last[ack.writer] = place[ack.texts[-1]]
    return acknowledged + sinking + late


def _split(places: Sequence[int]) -> bool:
    return list(places) != list(range(places[0], places[0] + len(places)))
