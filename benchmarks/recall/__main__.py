"""`python -m benchmarks.recall`: evidence recall and costs; status 1 if less is found than was.

The data is named by variables of the environment: THREADKEEP_LOCOMO the file of LoCoMo, and, where
they are to be measured too, THREADKEEP_REALTALK the folder `data` of REALTALK, THREADKEEP_MEMDAILY
the file `memdaily.json`, THREADKEEP_BEAM a folder of BEAM such as `chats/100K`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.recall import (
    baselines,
    data_sets,
    evidence,
    intervals,
    kept,
    locomo,
    size,
)
from benchmarks.recall.evidence import Measured
from benchmarks.report import Bar, bars
from threadkeep.window import tokens

DATA: Final = Path("../shared/data/locomo-dev.json")
CHOSEN_ON: Final = 2
"""So many conversations, the first, were looked at when settings were chosen."""
GATE: Final = (
    ("others, R@10", 10, None, 83.0),
    ("others, R@5", 5, None, 77.0),
    ("others, multi-hop R@10", 10, 1, 49.0),
)
"""What words alone find in the other conversations, a little below what was measured."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    options = _parser().parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)
    path = Path(os.environ.get("THREADKEEP_LOCOMO") or DATA)
    status = 0
    if path.exists():
        status = _evidence(options, path)
    else:
        print(f"No evidence recall: {path} is not there; THREADKEEP_LOCOMO names another file")
    for data_set in data_sets.DATA_SETS:
        data_sets.report(data_set, options.url)
    if options.sizes:
        print(f"\n{size.table(options.sizes)}", flush=True)
    if options.kept:
        print(f"\n{kept.table(options.kept)}", flush=True)
    return status


def _evidence(options: argparse.Namespace, path: Path) -> int:
    conversations = locomo.read(path)
    ways: dict[str, dict[str, Any]] = {"words": {}, "words + facts": {"facts": True}}
    if options.embedder:
        embedder = _named(options.embedder)
        ways["words + embedder"] = {"embedder": embedder}
        ways["words + facts + embedder"] = {"facts": True, "embedder": embedder}
    parts = {
        "all": conversations,
        "chosen on": conversations[:CHOSEN_ON],
        "others": conversations[CHOSEN_ON:],
    }
    count = tokens.default()
    measured_by_part: dict[str, Measured] = {}
    for way, how in ways.items():
        for part in ("chosen on", "others"):
            some = parts[part]
            measured_by_part[f"{way}, {part}"] = evidence.measure(
                options.url, some, count=count, **how
            )
        measured_by_part[f"{way}, all"] = _both(
            measured_by_part[f"{way}, chosen on"], measured_by_part[f"{way}, others"]
        )
    for name, build in baselines.ways().items():
        for part in ("chosen on", "others"):
            measured_by_part[f"{name}, {part}"] = baselines.measure(build, parts[part])
    note = " Settings were chosen on the first two conversations, the others are reported apart."
    print(evidence.table(measured_by_part, locomo.CATEGORIES, "LoCoMo", note), end="\n\n")
    print(intervals.table(_pairs(measured_by_part)), end="\n\n")
    print(evidence.costs(measured_by_part), end="\n\n", flush=True)
    gate = [
        Bar(name, least, measured_by_part["words, others"].at(place, category), "", least=True)
        for name, place, category, least in GATE
    ]
    print(bars(gate), flush=True)
    return 0 if all(bar.met for bar in gate) else 1


def _pairs(measured: dict[str, Measured]) -> dict[str, tuple[Measured, Measured]]:
    """What is to be told apart, on the conversations that settings were not chosen on."""
    pairs = [
        ("FTS5 + neighbours", "words"),
        ("words", "words + facts"),
        ("words", "words + embedder"),
        ("words + facts", "words + facts + embedder"),
    ]
    return {
        f"{first} -> {second}, {part}": (
            measured[f"{first}, {part}"],
            measured[f"{second}, {part}"],
        )
        for first, second in pairs
        for part in ("chosen on", "others")
        if f"{second}, {part}" in measured
    }


def _both(first: Measured, then: Measured) -> Measured:
    names = ("found", "sessions", "seconds", "worked", "tokens", "indexing")
    return Measured(*(getattr(first, name) + getattr(then, name) for name in names))


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.recall",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", default="memory://", help="the store; memory:// unless told")
    parser.add_argument("--embedder", metavar="MODULE:NAME", help="measure re-ranking as well")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(part) for part in text.split(",") if part],
        default=list(size.SIZES),
        help="numbers of items, such as 1000,10000; empty: none",
    )
    parser.add_argument(
        "--kept",
        type=lambda text: [int(part) for part in text.split(",") if part],
        default=list(kept.SIZES),
        help="numbers of items for the first question of a new process; empty: none",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
