"""What `import threadkeep` takes in a fresh interpreter, and which modules cost most."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter
from typing import Final

from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table
from benchmarks.timing import Laps, interleaved, median

_BARE: Final = "nothing"
_IMPORT: Final = "import threadkeep"
_PROGRAMS: Final = {
    _BARE: "pass",
    "import json, sqlite3": "import json, sqlite3",
    _IMPORT: "import threadkeep",
    "import, connect, first turn": (
        "import threadkeep; c = threadkeep.connect('sqlite:///:memory:').session('a'); "
        "c.add('hi'); c.window(max_messages=20).to_openai()"
    ),
}
_PROCESSOR, _CLOCK = 0, 1  # the parts of a lap
_TOP: Final = 15


def run(plan: Plan) -> Report:
    """Start interpreters by turns."""
    laps_by_program = interleaved({name: _start(p) for name, p in _PROGRAMS.items()}, plan.many(25))
    modules = _modules(plan.many(10))
    net = (_fastest(laps_by_program[_IMPORT]) - _fastest(laps_by_program[_BARE])) * 1e3
    return Report(
        [_table(laps_by_program), _costs(modules)],
        [Bar("import threadkeep, on top of a bare interpreter", 100, net, " ms")],
        {"milliseconds": net, "modules": modules},
    )


def _table(laps_by_program: dict[str, list[Laps]]) -> Table:
    rows = [
        [
            name,
            *(f"{median(laps, part) * 1e3:.0f}" for part in (_CLOCK, _PROCESSOR)),
            f"{_fastest(laps) * 1e3:.0f}",
            f"{(_fastest(laps) - _fastest(laps_by_program[_BARE])) * 1e3:.0f}",
        ]
        for name, laps in laps_by_program.items()
    ]
    return Table(
        "imports: a fresh interpreter that imports threadkeep",
        "Milliseconds of a whole process, bytecode cached, by turns: by the clock and of processor "
        "time, medians; and the fastest processor time, which is nearest to an idle machine. On "
        "top: how much more the fastest is than that of a process that does nothing; the bar.",
        ("program", "clock", "processor", "fastest", "on top"),
        rows,
    )


def _fastest(laps: list[Laps]) -> float:
    return min(lap[_PROCESSOR] for lap in laps)


def _costs(modules: dict[str, tuple[float, float]]) -> Table:
    slowest = sorted(modules, key=lambda name: -modules[name][0])
    return Table(
        "imports: the modules that cost most",
        "Milliseconds by -X importtime (which slows all down), medians: the module itself, and "
        "with what it is the first to import. Only what a bare interpreter does not load.",
        ("module", "itself", "with imports"),
        [[name, *(f"{cost:.1f}" for cost in modules[name])] for name in slowest[:_TOP]],
    )


def _modules(rounds: int) -> dict[str, tuple[float, float]]:
    bare = _importtime(_PROGRAMS[_BARE])
    costs_by_module: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name, costs in _importtime(_PROGRAMS[_IMPORT]).items():
            if name not in bare:
                costs_by_module[name].append(costs)
    return {
        name: (statistics.median(s for s, _ in costs), statistics.median(c for _, c in costs))
        for name, costs in costs_by_module.items()
    }


def _importtime(program: str) -> dict[str, tuple[float, float]]:
    """Milliseconds of each module: itself, and with what it imports."""
    lines = _python(program, "-X", "importtime").splitlines()
    cells = [line.removeprefix("import time:").split("|") for line in lines[1:]]
    return {name.strip(): (int(slowest) / 1e3, int(all_) / 1e3) for slowest, all_, name in cells}


def _start(program: str) -> Callable[[int], Laps]:
    def run(_: int) -> Laps:
        used, start = _children(), perf_counter()
        _python(program)
        return _children() - used, perf_counter() - start

    return run


def _children() -> float:
    """Seconds of processor time of all subprocesses so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _python(program: str, *flags: str) -> str:
    """Run a program in another folder; what it wrote to stderr."""
    return subprocess.run(
        [sys.executable, *flags, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=tempfile.gettempdir(),
    ).stderr
