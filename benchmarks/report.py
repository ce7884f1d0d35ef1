"""What a benchmark found: tables that explain themselves, bars to reach, numbers for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_WIDTH: Final = 100


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first column is text, the others are numbers."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = [_line(row, widths) for row in (self.columns, *self.rows)]
        rule = "  ".join("-" * width for width in widths)
        about = textwrap.fill(self.note, _WIDTH)
        return "\n".join([f"== {self.title}", about, "", lines[0], rule, *lines[1:]])


@dataclass(frozen=True)
class Bar:
    """What was promised, and what was measured: at most (or at least) so much."""

    name: str
    limit: float
    measured: float
    unit: str = "x"
    least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    def row(self) -> list[str]:
        promised = f"{'>=' if self.least else '<='} {self.limit:g}{self.unit}"
        return [self.name, promised, f"{self.measured:.2f}{self.unit}", _verdict(self.met)]


@dataclass
class Report:
    """One benchmark's findings.

    Attributes:
        tables: for people.
        bars: what was promised.
        data: for machines, as JSON.
        faults: what is not slow but wrong; any of them fails the run.
    """

    tables: list[Table] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    data: Any = None
    faults: list[str] = field(default_factory=list)


def bars(figures: Sequence[Bar]) -> Table:
    """All bars of a run."""
    return Table(
        "Bars",
        "What threadkeep promises itself. A benchmark reports: missing one fails nothing, "
        "since times depend on the machine; repeat before you believe.",
        ("bar", "promised", "measured", ""),
        [bar.row() for bar in figures],
    )


def micros(seconds: float) -> str:
    """Seconds as microseconds."""
    return f"{seconds * 1e6:,.0f}"


def times(ratio: float) -> str:
    """A ratio."""
    return f"{ratio:.2f}x"


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(cells).rstrip()
