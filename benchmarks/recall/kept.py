"""What the first question of a new process costs, with the kept index and without."""

from __future__ import annotations

import random
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.recall.size import SESSION, questions, turns
from benchmarks.report import Table
from threadkeep import Memory, connect

SIZES: Final = (5_000, 40_000)
_DAY: Final = 86_400.0
_KEY: Final = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def table(sizes: Sequence[int] = SIZES) -> Table:
    """A row for each number of items, plain and encrypted."""
    return Table(
        "The first question of a new process",
        "The turns of the table above, in SQLite, encrypted or not. Without: all items are read. "
        "Index: what it takes to build all of it. First: the first question with it, in processor "
        "seconds, and the MB it holds then; p95 of a hundred later ones.",
        ("items", "without s", "index s", "B / item", "first s", "first MB", "p95 ms"),
        [_row(size, key) for size in sizes for key in (None, _KEY)],
    )


def _row(size: int, key: str | None) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.db"
        _fill(path, size, key)
        before = path.stat().st_size
        without, _ = _first(path, key)
        index = _index(path, key)
        kept = path.stat().st_size - before
        first, _ = _first(path, key)
        _, megabytes = _first(path, key, traced=True)
        later = _later(path, key)
    name = f"{size:,}" + (" encrypted" if key else "")
    numbers = (without, index, kept / size, first, megabytes, later * 1e3)
    return [name, *(f"{number:.2f}" for number in numbers)]


def _open(path: Path, key: str | None, now: float = 0.0) -> Memory:
    at = time.time() + now
    memory = connect(f"sqlite:///{path}", clock=lambda: at, **({"key": key} if key else {}))
    memory._engine.write_counts = None  # nothing in the background
    return memory


def _fill(path: Path, size: int, key: str | None) -> None:
    with _open(path, key) as memory:
        some = islice(turns(random.Random(size)), size)
        for first in range(0, size, SESSION):
            memory.user("ada").session(f"s{first}").add(*islice(some, SESSION))


def _index(path: Path, key: str | None) -> float:
    with _open(path, key, _DAY) as memory:
        worked = time.process_time()
        memory.index()
        return time.process_time() - worked


def _first(path: Path, key: str | None, *, traced: bool = False) -> tuple[float, float]:
    """Processor seconds of the first question, and the MB that are held after it."""
    [question] = questions(1)
    with _open(path, key, 2 * _DAY) as memory:
        memory.user("nobody").recall(question)
        if traced:
            tracemalloc.start()
        worked = time.process_time()
        memory.user("ada").recall(question)
        worked = time.process_time() - worked
        held = tracemalloc.get_traced_memory()[0] / 1e6 if traced else 0.0
        tracemalloc.stop()
    return worked, held


def _later(path: Path, key: str | None) -> float:
    """Processor seconds within which nineteen of twenty later questions are answered."""
    laps = []
    with _open(path, key, 2 * _DAY) as memory:
        memory.user("ada").recall("nothing")
        for question in questions(100):
            worked = time.process_time()
            memory.user("ada").recall(question)
            laps.append(time.process_time() - worked)
    return sorted(laps)[94]
