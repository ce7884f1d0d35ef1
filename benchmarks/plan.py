"""What one run measures: systems, lengths, how often."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.report import Report
from benchmarks.systems import System


@dataclass(frozen=True)
class Plan:
    """The choices of the command line.

    Attributes:
        systems: the classes of the systems, by name.
        lengths: of the histories.
        quick: a tenth of the patience.
        items: how many a whole store holds.
    """

    systems: Mapping[str, Callable[[Path], System]] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    quick: bool = False
    items: int = 1_000_000

    def many(self, full: int) -> int:
        """So many, or a fifth if there is no time."""
        return max(5, full // 5) if self.quick else full

    @contextmanager
    def opened(self) -> Iterator[dict[str, System]]:
        """All systems, each in an empty folder of its own; closed and gone afterwards."""
        with ExitStack() as stack:
            systems = {}
            for name, make in self.systems.items():
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
                systems[name] = make(Path(folder))
                stack.callback(systems[name].close)
            yield systems


Bench = Callable[[Plan], Report]
