"""The index of one user: columns of documents, postings of stems, chains of sessions.

A new document costs as much as it has stems: nothing of its neighbours is copied into it, they are
looked up along the chain of its session when a question is asked.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Any, Final

from threadkeep.longterm.recall import parameters
from threadkeep.longterm.recall.analyzer import FACT, TOOL, Document
from threadkeep.longterm.recall.postings import Postings

NONE: Final = -1
_LONGEST: Final = 0xFFFF
_DEAD: Final = 256  # so many may lie about before anything is compacted
_COLUMNS: Final = {
    "places": "I", "seqs": "q", "keys": "Q", "written": "d", "whens": "d", "roles": "I",
    "speakers": "I", "days": "i", "flags": "B", "stated": "H", "asked": "H", "around": "I",
    "before": "i", "behind": "i", "alive": "B",
}  # fmt: skip


class Names:
    """Numbers for values that come again and again."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        """The value's number, which it keeps."""
        found = self.numbers.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


class Index:
    """Documents by number, in the order they came; not thread-safe.

    Attributes:
        postings: by stem.
        place_names: session ids and fact ids, by number.
        role_names: roles, by number.
        speaker_names: the stems of speakers' names, by number.
        speaking: how many documents each of those names speaks in.
        sources: of facts: the documents they were learned from.
        live: how many documents there are.
    """

    places: array[int]
    seqs: array[int]
    keys: array[int]
    written: array[float]
    whens: array[float]
    roles: array[int]
    speakers: array[int]
    days: array[int]
    flags: array[int]
    stated: array[int]
    asked: array[int]
    around: array[int]
    before: array[int]
    behind: array[int]
    alive: array[int]

    def __init__(self) -> None:
        for name, code in _COLUMNS.items():
            setattr(self, name, array(code))
        self.postings: dict[str, Postings] = {}
        self.place_names, self.role_names, self.speaker_names = Names(), Names(), Names()
        self.speaking: Counter[int] = Counter()
        self.sources: dict[int, tuple[int, ...]] = {}
        self._learned: dict[int, tuple[int, ...]] = {}  # the keys of facts' sources
        self._told_by: dict[int, list[int]] = {}  # the facts of a key
        self.live = 0
        self._ends: dict[int, int] = {}  # by place: its last turn
        self._around = 0  # of all turns together
        self._turns = 0

    def __len__(self) -> int:
        """Documents with those that are gone but still take up room."""
        return len(self.alive)

    @property
    def average(self) -> float:
        """The mean length of what surrounds a turn, in units."""
        return self._around / self._turns if self._turns else 0.0

    def add(self, new: Document) -> int:
        """Take in a document; its number."""
        number = len(self.alive)
        self._describe(new)
        for stem in {**new.stated, **new.asked}:
            found = self.postings.get(stem)
            if found is None:
                found = self.postings[stem] = Postings()
            found.append(number, new.stated[stem], new.asked[stem])
        self.live += 1
        if new.flags & FACT:
            self._learned[number] = new.sources
        elif not new.flags & TOOL:
            self._link(number)
        for fact in self._told_by.get(new.key, []):
            if self.alive[fact]:
                self.sources[fact] = (*self.sources.get(fact, ()), number)
        return number

    def learn(self, facts: Iterable[Document]) -> None:
        """Take in facts, and find the documents that they were learned from."""
        for new in facts:
            self.add(new)
        self._told_by = {}
        self.sources.clear()
        for number, keys in self._learned.items():
            for key in keys:
                self._told_by.setdefault(key, []).append(number)
        for number, key in enumerate(self.keys):
            if key in self._told_by and self.alive[number]:
                for fact in self._told_by[key]:
                    self.sources[fact] = (*self.sources.get(fact, ()), number)

    def remove(self, numbers: Iterable[int]) -> None:
        """Let documents go; their turns' neighbours become each other's."""
        for number in numbers:
            if not self.alive[number]:
                continue
            self.alive[number] = 0
            self.live -= 1
            self.speaking[self.speakers[number]] -= 1
            self.sources.pop(number, None)
            self._learned.pop(number, None)
            if not self.flags[number] & (FACT | TOOL):
                self._unlink(number)
        if len(self) - self.live > max(_DEAD, self.live // 4):
            self._compact()

    def of_place(self, place: str) -> list[int]:
        """The documents of a session, or of a fact."""
        wanted = self.place_names.numbers.get(place, NONE)
        return [n for n, at in enumerate(self.places) if at == wanted and self.alive[n]]

    def frequency(self, stem: str) -> int:
        """How many documents have the stem."""
        found = self.postings.get(stem)
        if found is None:
            return 0
        if self.live == len(self):
            return len(found)
        return sum(map(self.alive.__getitem__, found.documents))

    def reaching(self, number: int) -> Iterator[int]:
        """The turns whose words count for a turn as well."""
        yield from self.walk(self.before, number, len(parameters.BEFORE))
        yield from self.walk(self.behind, number, len(parameters.BEHIND))

    def _describe(self, new: Document) -> None:
        speaker = self.speaker_names.number(new.speaker)
        self.speaking[speaker] += 1
        values = {
            "places": self.place_names.number(new.place),
            "seqs": new.seq,
            "keys": new.key,
            "written": new.written,
            "whens": new.when,
            "roles": self.role_names.number(new.role),
            "speakers": speaker,
            "days": int(new.when // 86_400),
            "flags": new.flags,
            "stated": min(new.stated.total(), _LONGEST),
            "asked": min(new.asked.total(), _LONGEST),
            "around": 0,
            "before": NONE,
            "behind": NONE,
            "alive": 1,
        }
        for name, value in values.items():
            getattr(self, name).append(value)

    def _link(self, number: int) -> None:
        """Put a turn into the chain of its session, which is in the order of seqs."""
        place, seq = self.places[number], self.seqs[number]
        before, behind = self._ends.get(place, NONE), NONE
        while before >= 0 and self.seqs[before] > seq:
            before, behind = self.before[before], before
        self._join(before, number)
        self._join(number, behind)
        if behind < 0:
            self._ends[place] = number
        self._turns += 1
        self._measure(number)

    def _unlink(self, number: int) -> None:
        before, behind = self.before[number], self.behind[number]
        self._join(before, behind)
        if behind < 0:
            self._ends[self.places[number]] = before
        self._turns -= 1
        self._around -= self.around[number]
        if before >= 0 or behind >= 0:
            self._measure(before if before >= 0 else behind)

    def _join(self, before: int, behind: int) -> None:
        if before >= 0:
            self.behind[before] = behind
        if behind >= 0:
            self.before[behind] = before

    def _measure(self, number: int) -> None:
        """Measure again what surrounds a turn and those whose neighbourhood it may have changed."""
        reach = len(parameters.BEFORE) + 1
        for changed in [number, *self.walk(self.before, number, reach)]:
            self._measure_one(changed)
        for changed in self.walk(self.behind, number, reach):
            self._measure_one(changed)

    def _measure_one(self, number: int) -> None:
        units = 0
        for n, step in enumerate(self.walk(self.before, number, len(parameters.BEFORE))):
            units += (
                parameters.HANDED[n] * self.asked[step] + parameters.BEFORE[n] * self.stated[step]
            )
        for n, step in enumerate(self.walk(self.behind, number, len(parameters.BEHIND))):
            units += parameters.BEHIND[n] * (self.asked[step] + self.stated[step])
        self._around += units - self.around[number]
        self.around[number] = units

    @staticmethod
    def walk(chain: array[int], number: int, steps: int) -> Iterator[int]:
        """The turns reached from one along `before` or `behind`, the nearest first."""
        for _ in range(steps):
            number = chain[number]
            if number < 0:
                return
            yield number

    def _compact(self) -> None:
        """Let go of the room of what is gone; documents get new numbers."""
        numbers = [NONE] * len(self)
        for new, old in enumerate(compress(range(len(self)), self.alive)):
            numbers[old] = new
        alive = self.alive
        for name, code in _COLUMNS.items():
            setattr(self, name, array(code, compress(getattr(self, name), alive)))
        for chain in (self.before, self.behind):
            for n, old in enumerate(chain):
                chain[n] = numbers[old] if old >= 0 else NONE
        kept = ((stem, found.renumbered(numbers)) for stem, found in self.postings.items())
        self.postings = {stem: found for stem, found in kept if len(found)}
        self._ends = {p: numbers[n] for p, n in self._ends.items() if n >= 0}
        self._learned = {numbers[fact]: keys for fact, keys in self._learned.items()}
        self.learn(())
