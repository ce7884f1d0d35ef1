"""How sure a difference is: paired bootstrap over questions."""

from __future__ import annotations

import random
import statistics
from typing import Final

from benchmarks.recall.evidence import PLACES, Measured
from benchmarks.report import Table

_SAMPLES: Final = 2_000


def table(pairs: dict[str, tuple[Measured, Measured]], places: tuple[int, ...] = (5, 10)) -> Table:
    """The difference of each pair, the second less the first, with its interval."""
    return Table(
        "Differences",
        "Points of recall, the second less the first, over the same questions; in brackets 95 % of "
        f"{_SAMPLES:,} paired bootstrap samples.",
        ("", *(f"R@{place}" for place in places)),
        [
            [name, *(_cell(first, second, place) for place in places)]
            for name, (first, second) in pairs.items()
        ],
    )


def _cell(first: Measured, second: Measured, place: int) -> str:
    column = PLACES.index(place)
    differences = [
        100 * (b[column] - a[column])
        for (_, a), (_, b) in zip(first.found, second.found, strict=True)
    ]
    low, high = interval(differences)
    return f"{statistics.fmean(differences):+.1f} [{low:.1f}, {high:.1f}]"


def interval(differences: list[float]) -> tuple[float, float]:
    """Where the mean lies in 95 of 100 samples."""
    dice, count = random.Random(7), len(differences)
    means = sorted(statistics.fmean(dice.choices(differences, k=count)) for _ in range(_SAMPLES))
    return means[_SAMPLES // 40], means[-_SAMPLES // 40]
