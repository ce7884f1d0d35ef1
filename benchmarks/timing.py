"""Stopwatches: everything that is compared runs by turns, so that the machine's noise hits all."""

from __future__ import annotations

import gc
import math
import random
import statistics
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Final, TypeVar

K = TypeVar("K", bound=Hashable)
Laps = tuple[float, ...]
"""Seconds: one call in one or several parts."""

_LEAST: Final = 5


def timed(call: Callable[[int], object]) -> Callable[[int], Laps]:
    """The call of one round, with a stopwatch around it."""

    def run(number: int) -> Laps:
        start = perf_counter()
        call(number)
        return (perf_counter() - start,)

    return run


def processor(call: Callable[[int], object]) -> Callable[[int], Laps]:
    """As `timed`, in seconds of processor time, which work beside this process does not change."""

    def run(number: int) -> Laps:
        start = process_time()
        call(number)
        return (process_time() - start,)

    return run


def interleaved(
    calls: Mapping[K, Callable[[int], Laps]], rounds: int, budget: float = math.inf
) -> dict[K, list[Laps]]:
    """The laps of each call; in every round each runs once, in another order.

    Args:
        calls: by name; each gets the number of the round and returns its laps.
        rounds: how often each is called.
        budget: after so many seconds a slow one is left out of further rounds, but for five.
    """
    dice = random.Random(1)
    order = list(calls)
    laps: dict[K, list[Laps]] = {key: [] for key in calls}
    spent = dict.fromkeys(calls, 0.0)
    with _settled_heap():
        for number in range(rounds):
            dice.shuffle(order)
            for key in order:
                if number < _LEAST or spent[key] < budget:
                    took = calls[key](number)
                    spent[key] += sum(took)
                    laps[key].append(took)
    return laps


def median(laps: Sequence[Laps], part: int | None = None) -> float:
    """Seconds of the middle call, in one part or all together."""
    return statistics.median(_parts(laps, part))


def p95(laps: Sequence[Laps], part: int | None = None) -> float:
    """Seconds that nineteen calls in twenty stay under."""
    values = sorted(_parts(laps, part))
    return values[math.ceil(len(values) * 0.95) - 1]


def _parts(laps: Sequence[Laps], part: int | None) -> list[float]:
    return [sum(lap) if part is None else lap[part] for lap in laps]


@contextmanager
def _settled_heap() -> Iterator[None]:
    """Keep the collector from walking through the peers' imports and the loaded messages."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
