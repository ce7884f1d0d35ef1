"""Which tests are slow without saying so: those of a list that a whole run makes anew.

`make list-slow` writes the list: the functions whose cases took more than
`LONG` together, on an idle machine. What a name or a mark calls slow is not in it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

LIST: Final = Path(__file__).with_suffix(".txt")
LONG: Final = 0.4  # seconds of all cases of a function: few enough are left for two minutes
IS_ASKED: Final = "THREADKEEP_LIST_SLOW" in os.environ

_listed: Final = frozenset(LIST.read_text().split())


def function_name(node_id: str) -> str:
    """The id of a test without the names of its case."""
    return node_id.partition("[")[0]


def is_listed(item: pytest.Item) -> bool:
    """Return True if a test is slow by the list."""
    return not IS_ASKED and function_name(item.nodeid) in _listed


class Durations:
    """Adds up what the tests of a run take; at its end, writes the list."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "slow" not in report.keywords:
            self._seconds[function_name(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workerinput"):
            return  # the first process hears of the tests of all
        names = sorted(name for name, seconds in self._seconds.items() if seconds > LONG)
        LIST.write_text("".join(f"{name}\n" for name in names))
