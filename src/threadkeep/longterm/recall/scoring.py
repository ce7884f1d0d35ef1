"""What one stem gives to documents: where it stands, to neighbours, by facts, names and dates."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from threadkeep.longterm.recall import parameters, tokenizer
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.index import Index

_DAY: Final = 86_400


class Spread:
    """The counts of one stem by document.

    Attributes:
        own: words of the document itself; those of short questions count `weights.ASKED`.
        near: what its neighbours give it, in `weights.UNIT`s.
        told: words of facts that were learned from it.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self.own: dict[int, float] = {}
        self.near: dict[int, int] = {}
        self.told: dict[int, int] = {}

    def add(self, postings: Iterable[tuple[int, int]]) -> None:
        """Spread postings: documents with their counts."""
        index, own, near, told = self._index, self.own, self.near, self.told
        alive, flags, before, behind = index.alive, index.flags, index.before, index.behind
        to_answers = tuple(zip(parameters.HANDED, parameters.BEFORE, strict=True))
        for number, count in postings:
            if not alive[number]:
                continue
            stated, asked = count & 0xFF, count >> 8
            own[number] = stated + parameters.ASKED * asked
            if flags[number] & FACT:
                for source in index.sources.get(number, ()):
                    if alive[source]:
                        told[source] = told.get(source, 0) + stated
                continue
            step = number
            for handed, plain in to_answers:
                if (step := behind[step]) < 0:
                    break
                near[step] = near.get(step, 0) + handed * asked + plain * stated
            step = number
            for plain in parameters.BEHIND:
                if (step := before[step]) < 0:
                    break
                near[step] = near.get(step, 0) + plain * (stated + asked)

    def touched(self) -> set[int]:
        """The documents that get anything."""
        return {*self.own, *self.near, *self.told}


class Labels:
    """A stem as the name of a speaker, or as part of a date."""

    def __init__(self, index: Index, stem: str) -> None:
        self._index = index
        self._stem = stem
        names = index.speaker_names.values
        self._speakers = {n for n, many in index.speaking.items() if many and stem in names[n]}
        self._dates = tokenizer.dates(stem)
        self.any = bool(self._speakers) or self._dates

    def worth(self, number: int) -> float:
        """What it gives to a document that it is a label of."""
        index, worth = self._index, 0.0
        if index.speakers[number] in self._speakers:
            worth += parameters.SPEAKER
        if self._dates and self._stem in dated(index.days[number]):
            worth += parameters.DATE
        return worth

    def near(self, number: int) -> int:
        """What it gives to a document whose neighbours' speaker it names, in units."""
        speakers, index = self._speakers, self._index
        if not speakers:
            return 0
        of, units = index.speakers, 0
        for chain, steps in ((index.before, parameters.BEFORE), (index.behind, parameters.BEHIND)):
            step = number
            for _ in steps:
                if (step := chain[step]) < 0:
                    break
                if of[step] in speakers:
                    units += parameters.NAMED
        return units

    def documents(self, most: int | None = None) -> set[int]:
        """The documents that it is a label of; the newest so many."""
        alive = self._index.alive
        found = (n for n in range(len(alive)) if alive[n] and self.worth(n))
        return set(deque(found, most))


@functools.lru_cache(maxsize=4_096)
def dated(day: int) -> tuple[str, ...]:
    """The stems of the date of a day, counted from 1970."""
    try:
        return tokenizer.date(datetime.fromtimestamp(day * _DAY, UTC))
    except (OverflowError, OSError, ValueError):
        return ()
