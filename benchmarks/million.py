"""A whole store at size: filled, listed, paged through, exported, copied, killed and compared.

Each step is a process of its own, so that its peak memory is its own; export and copy are the
command line's. Servers are private and sync no commit.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import threadkeep
from benchmarks import million_steps
from benchmarks.plan import Plan
from benchmarks.report import Report, Table
from benchmarks.systems import servers
from threadkeep.core import copy_streams

_EACH: Final = 100
"""Items of a conversation."""
_SHOWN: Final = ("fill", "list", "user's page", "items page", "window", "export")


class Step(NamedTuple):
    """What a step said, how long it took, and its process's peak of memory in MB."""

    said: Any
    seconds: float
    peak: float


class Copy(NamedTuple):
    """A copy that was killed and resumed."""

    streams: int
    killed_at: int
    first: float
    second: Step
    compared: Step


def run(plan: Plan) -> Report:
    """Fill PostgreSQL, measure it, copy it to Redis, measure that, copy it back to new tables."""
    size = 20_000 if plan.quick else plan.items
    postgres, redis = servers.postgres(), servers.redis()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        filled = _apart(million_steps.fill, postgres, size // _EACH, _EACH)
        report = Report(data={"items": size, "conversations": size // _EACH})
        rows = [_row("postgres", size, _measured(postgres, size, folder), filled)]
        forth = _copied(postgres, redis)
        rows.append(_row("redis", size, _measured(redis, size, folder), None))
        back = _copied(redis, _another(postgres))
    report.tables += [_stores(rows, size), _copies({"to redis": forth, "back": back}, size)]
    for name, copy in (("to redis", forth), ("back", back)):
        different, same = copy.compared.said
        report.faults += [f"million: {name}: {different} items differ"] if different else []
        report.faults += [] if same == size else [f"million: {name}: {same} of {size} items"]
    return report


def _another(postgres: str) -> str:
    """The URL of a new database of the same server."""
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE came_back")
    return f"{postgres.rpartition('/')[0]}/came_back"


def _measured(url: str, size: int, folder: str) -> dict[str, Step]:
    names = size // _EACH
    file = str(Path(folder, f"{url.partition(':')[0]}.jsonl"))
    return {
        "list": _apart(million_steps.list_all, url, names),
        "user's page": _apart(million_steps.page_of_users, url),
        "items page": _apart(million_steps.page_items, url, names),
        "window": _apart(million_steps.windows, url, names),
        "export": _apart(million_steps.command, "export", "--all", "--url", url, "--output", file),
    }


def _copied(source: str, target: str) -> Copy:
    """Copy, kill it half way, copy again, and compare every item."""
    with threadkeep.connect(source) as memory:
        total = len(copy_streams.stream_names(memory._engine.backend))
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=million_steps.command, args=("copy", source, target))
    start = time.monotonic()
    writer.start()
    while (forth := million_steps.streams(target)) < total // 2 and writer.is_alive():
        time.sleep(1)
    writer.kill()
    writer.join()
    first = time.monotonic() - start
    again = _apart(million_steps.command, "copy", source, target)
    return Copy(total, forth, first, again, _apart(million_steps.compare, source, target))


def _apart(step: Callable[..., Any], *arguments: Any) -> Step:
    """A step in a process of its own."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=million_steps.told, args=(theirs, step, arguments))
    process.start()
    theirs.close()
    try:
        said, seconds, peak = mine.recv()
    finally:
        process.join()
    print(f"  {step.__name__} {' '.join(map(str, arguments))[:60]}: {seconds:.0f} s", flush=True)
    return Step(said, seconds, peak)


def _row(name: str, size: int, steps: dict[str, Step], filled: Step | None) -> list[str]:
    conversations = size // _EACH
    return [
        name,
        "-" if filled is None else f"{size / filled.seconds:,.0f}",
        f"{conversations / steps['list'].seconds:,.0f}",
        *(f"{steps[step].said * 1e3:.1f}" for step in ("user's page", "items page", "window")),
        f"{size / steps['export'].seconds:,.0f}",
        f"{steps['export'].peak:.0f}",
        f"{max(step.peak for step in steps.values()):.0f}",
    ]


def _stores(rows: list[list[str]], size: int) -> Table:
    return Table(
        f"million: {size:,} items in {size // _EACH:,} conversations, load {_load():.1f}",
        "Fill: items/s, appended 100 at a time. List: sessions/s, page by page of 500, of all. "
        "Milliseconds (median): a page of 20 of a user's sessions; a page of 20 items in the "
        "middle of a conversation; a window of 20. Export: items/s of `threadkeep export --all`. "
        "MB: peak memory of the exporting process, and of the largest of all.",
        ("store", "fill", "list", "user's page", "items page", "window", "export", "MB", "most MB"),
        rows,
    )


def _load() -> float:
    return os.getloadavg()[0]


def _copies(steps: dict[str, Copy], size: int) -> Table:
    rows = [
        [
            name,
            f"{copy.killed_at:,} of {copy.streams:,}",
            f"{copy.first:.0f}",
            f"{copy.second.seconds:.0f}",
            f"{size / (copy.first + copy.second.seconds):,.0f}",
            f"{copy.second.peak:.0f}",
            f"{copy.compared.said[1]:,}",
            f"{copy.compared.said[0]:,}",
        ]
        for name, copy in steps.items()
    ]
    return Table(
        "million: `threadkeep copy`, killed half way and resumed",
        "Streams that were there when it was killed; seconds until then, and of the second run, "
        "which looks at what is there and copies the rest; items/s of both; peak memory of the "
        "second; then every item of both stores compared, field by field.",
        ("copy", "killed at", "s", "s again", "items/s", "MB", "same", "different"),
        rows,
    )
