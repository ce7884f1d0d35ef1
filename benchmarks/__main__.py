"""`python -m benchmarks`: choose, run, print; status 1 if something is wrong (never if slow)."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import (
    agents,
    bulk,
    checkpoints,
    cold,
    crowd,
    hotspots,
    imports,
    learning,
    million,
    mixed,
    prefix,
    storage,
    turn,
    windows,
)
from benchmarks.plan import Bench, Plan
from benchmarks.report import Report, bars
from benchmarks.systems import ON_SERVERS, SETS, SYSTEMS, find

BENCHES: Final[dict[str, Bench]] = {
    "turn": turn.run,
    "cold": cold.run,
    "bulk": bulk.run,
    "storage": storage.run,
    "mixed": mixed.run,
    "prefix": prefix.run,
    "imports": imports.run,
    "crowd": crowd.run,
    "windows": windows.run,
    "agents": agents.run,
    "checkpoints": checkpoints.run,
    "hotspots": hotspots.run,
    "million": million.run,
    "learning": learning.run,
}
ASKED: Final = frozenset(
    {"agents", "checkpoints", "hotspots", "learning", "million", "mixed"}
)  # run only where --only names it
LENGTHS: Final = (10, 100, 1_000, 10_000, 100_000)
USUAL: Final = [name for name in SYSTEMS if name not in ON_SERVERS]
NO_PEERS: Final = [name for name in USUAL if name.startswith(("raw", "threadkeep"))]
QUICK: Final = (10, 1_000, 10_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments choose; the exit status."""
    options = _parser().parse_args(arguments)
    systems, missing = find(options.systems or (NO_PEERS if options.quick else USUAL))
    lengths = options.lengths or (QUICK if options.quick else LENGTHS)
    plan = Plan(systems, tuple(lengths), options.quick, options.items)
    print(_about(missing), flush=True)
    start = time.monotonic()
    reports = {name: _run(name, plan) for name in options.only}
    reached = [bar for report in reports.values() for bar in report.bars]
    if reached:
        print(f"\n{bars(reached)}")
    print(f"\n{time.monotonic() - start:.0f} s in all")
    if options.json:
        options.json.write_text(json.dumps(_data(reports), indent=1) + "\n")
    faults = [fault for report in reports.values() for fault in report.faults]
    print("".join(f"\nWRONG: {fault}" for fault in faults), file=sys.stderr, end="")
    return 1 if faults else 0


def _run(name: str, plan: Plan) -> Report:
    start = time.monotonic()
    report = BENCHES[name](plan)
    for table in report.tables:
        print(f"\n{table}")
    print(f"({name}: {time.monotonic() - start:.0f} s)", flush=True)
    return report


def _about(missing: dict[str, str]) -> str:
    lines = [
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"files in {tempfile.gettempdir()}"
    ]
    lines += [f"Not measured: {name} ({reason})" for name, reason in missing.items()]
    return "\n".join(lines)


def _data(reports: dict[str, Report]) -> dict[str, Any]:
    reached = [bar for report in reports.values() for bar in report.bars]
    return {
        "about": _about({}),
        "benches": {name: report.data for name, report in reports.items()},
        "bars": [{**vars(bar), "met": bar.met} for bar in reached],
        "faults": [fault for report in reports.values() for fault in report.faults],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_names(BENCHES),
        default=[n for n in BENCHES if n not in ASKED],
        help=f"of {', '.join(BENCHES)}",
    )
    parser.add_argument(
        "--systems",
        type=_names({**SYSTEMS, **SETS}),
        help=f"of {', '.join([*SETS, *SYSTEMS])}; quick: without the peers",
    )
    parser.add_argument("--lengths", type=_lengths, help="of the histories, such as 10,1000")
    parser.add_argument(
        "--items", type=int, default=1_000_000, help="of a whole store, for --only million"
    )
    parser.add_argument("--quick", action="store_true", help="a look, in half a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the numbers, for machines")
    return parser


def _names(known: dict[str, Any]) -> Any:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in known]:
            raise argparse.ArgumentTypeError(
                f"unknown: {', '.join(unknown)}; known: {', '.join(known)}"
            )
        return [one for name in chosen for one in SETS.get(name, [name])]

    return names


def _lengths(text: str) -> list[int]:
    lengths = [int(part) for part in text.split(",")]
    if min(lengths) < 1:
        raise argparse.ArgumentTypeError("a history has at least 1 message")
    return lengths


if __name__ == "__main__":
    sys.exit(main())
