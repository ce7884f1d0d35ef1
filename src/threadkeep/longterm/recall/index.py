"""The index of one user: columns of documents, postings of stems, chains of sessions.

A new document costs as much as it has stems: nothing of its neighbours is copied into it, they are
looked up along the chain of its session when a question is asked.
"""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple

from threadkeep.longterm.recall import parameters
from threadkeep.longterm.recall.analyzer import FACT, FLAGS, TOOL, IndexedDocument
from threadkeep.longterm.recall.postings import Postings, union
from threadkeep.longterm.recall.segments.block import Block, vocabulary_of

NONE: Final = -1
_MAX_LENGTH: Final = 0xFFFF
_MAX_DEAD: Final = 256  # so many may lie about before anything is compacted
_COLUMNS: Final = {
    "origins": "I", "seqs": "q", "keys": "Q", "written_at": "d", "times": "d", "roles": "H",
    "speakers": "I", "flags": "B", "statement_lengths": "H",
    "question_lengths": "H", "context_lengths": "I",
    "before": "i", "after": "i", "alive": "B",
}  # fmt: skip


_PLAIN_COLUMNS: Final = (
    "seqs", "keys", "written_at", "times", "flags", "statement_lengths", "question_lengths",
    "context_lengths",
)  # fmt: skip
_NOTHING: Final = Postings()
_MAX_CACHED: Final = 1_000_000  # postings in blocks that are remembered, six bytes each
_DOCUMENT_BYTES: Final = sum(array(code).itemsize for code in _COLUMNS.values())
_POSTING_BYTES: Final = 6
_STEM_BYTES: Final = 400
_ORIGIN_BYTES: Final = 500  # with what is known of a session beside the index


class LoadedNames(NamedTuple):
    """The names in the columns of a segment, by their number in it."""

    origins: Sequence[str]
    roles: Sequence[str]
    speakers: Sequence[tuple[str, ...]]


class Interner:
    """Numbers for values that come again and again."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        """The value's number, which it keeps."""
        number = self.numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class RecallIndex:
    """Documents by number, in the order they came; not thread-safe.

    Attributes:
        postings: by stem, of documents that are in no block.
        blocks: segments of the kept index, whose postings are read when they are asked for.
        origin_names: session ids and fact ids, by number.
        role_names: roles, by number.
        speaker_names: the stems of speakers' names, by number.
        speaker_counts: how many documents each of those names speaks in.
        sources: of facts: the documents they were learned from.
        live_count: how many documents there are.
        crowded: whether so many documents are gone that it is to be loaded again.
    """

    origins: array[int]
    seqs: array[int]
    keys: array[int]
    written_at: array[float]
    times: array[float]
    roles: array[int]
    speakers: array[int]
    flags: array[int]
    statement_lengths: array[int]
    question_lengths: array[int]
    context_lengths: array[int]
    before: array[int]
    after: array[int]
    alive: array[int]

    def __init__(self) -> None:
        for name, code in _COLUMNS.items():
            setattr(self, name, array(code))
        self.postings: dict[str, Postings] = {}
        self.blocks: list[Block] = []
        self.crowded = False
        self._block_postings: OrderedDict[str, Postings] = OrderedDict()  # those asked for lately
        self.origin_names, self.role_names, self.speaker_names = Interner(), Interner(), Interner()
        self.speaker_counts: Counter[int] = Counter()
        self.sources: dict[int, tuple[int, ...]] = {}
        self._source_keys: dict[int, tuple[int, ...]] = {}  # the keys of facts' sources
        self._facts_by_key: dict[int, list[int]] = {}  # the facts of a key
        self.live_count = 0
        self._last_turns: dict[int, int] = {}  # by place: its last turn
        self._context_total = 0  # of all turns together
        self._turn_count = 0
        self._posting_count = 0
        self._cached_count = 0

    def __len__(self) -> int:
        """Documents with those that are gone but still take up room."""
        return len(self.alive)

    @property
    def average(self) -> float:
        """The mean length of what surrounds a turn, in units."""
        return self._context_total / self._turn_count if self._turn_count else 0.0

    def add(self, document: IndexedDocument) -> int:
        """Take in a document; its number."""
        number = len(self.alive)
        self._append_columns(document)
        for stem in {**document.statement_stems, **document.question_stems}:
            postings = self.postings.get(stem)
            if postings is None:
                postings = self.postings[stem] = Postings()
            postings.append(number, document.statement_stems[stem], document.question_stems[stem])
            self._posting_count += 1
        self.live_count += 1
        if document.flags & FACT:
            self._source_keys[number] = document.sources
        elif not document.flags & TOOL:
            self._link(number)
        for fact in self._facts_by_key.get(document.key, []):
            if self.alive[fact]:
                self.sources[fact] = (*self.sources.get(fact, ()), number)
        return number

    def add_facts(self, facts: Iterable[IndexedDocument]) -> None:
        """Take in facts, and find the documents that they were learned from."""
        for document in facts:
            self.add(document)
        self._facts_by_key = {}
        self.sources.clear()
        for number, keys in self._source_keys.items():
            for key in keys:
                self._facts_by_key.setdefault(key, []).append(number)
        for number, key in enumerate(self.keys):
            if key in self._facts_by_key and self.alive[number]:
                for fact in self._facts_by_key[key]:
                    self.sources[fact] = (*self.sources.get(fact, ()), number)

    def remove(self, numbers: Iterable[int]) -> None:
        """Let documents go; their turns' neighbours become each other's."""
        for number in numbers:
            if not self.alive[number]:
                continue
            self.alive[number] = 0
            self.live_count -= 1
            self.speaker_counts[self.speakers[number]] -= 1
            self.sources.pop(number, None)
            self._source_keys.pop(number, None)
            if not self.flags[number] & (FACT | TOOL):
                self._unlink(number)
        if len(self) - self.live_count > max(_MAX_DEAD, self.live_count // 4):
            self._compact()

    def of_origin(self, origin: str) -> list[int]:
        """The documents of a session, or of a fact."""
        origin_number = self.origin_names.numbers.get(origin, NONE)
        return [
            n for n, number in enumerate(self.origins) if number == origin_number and self.alive[n]
        ]

    def lookup(self, stems: Iterable[str]) -> Postings:
        """The documents in which any of some stems occurs; do not change it."""
        if not self.blocks:
            return union([self.postings[stem] for stem in stems if stem in self.postings])
        return union([self._in_blocks(stem) + self.postings.get(stem, _NOTHING) for stem in stems])

    def frequency(self, postings: Postings) -> int:
        """How many of the documents are still there."""
        if self.live_count == len(self):
            return len(postings)
        return sum(map(self.alive.__getitem__, postings.documents))

    def vocabularies(self) -> Iterator[str]:
        """All stems, each between two ends of lines."""
        yield vocabulary_of(self.postings)
        for block in self.blocks:
            yield block.vocabulary()

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        column_bytes = len(self) * _DOCUMENT_BYTES
        cached_bytes = _POSTING_BYTES * self._cached_count
        posting_bytes = _POSTING_BYTES * self._posting_count + _STEM_BYTES * len(self.postings)
        origin_bytes = _ORIGIN_BYTES * len(self.origin_names.values)
        return column_bytes + cached_bytes + posting_bytes + origin_bytes

    def load(self, columns: Mapping[str, array[Any]], names: LoadedNames, block: Block) -> None:
        """Take in the documents of a segment, of which none is there yet.

        Args:
            columns: by name, with numbers within the segment.
            names: what `origins`, `roles` and `speakers` are numbers of.
            block: its postings.
        """
        base, size = len(self), len(columns["seqs"])
        for name, interner, values in (
            ("origins", self.origin_names, names.origins),
            ("roles", self.role_names, names.roles),
            ("speakers", self.speaker_names, names.speakers),
        ):
            numbers = [interner.number(value) for value in values]
            getattr(self, name).extend([numbers[n] for n in columns[name]])
        for name in ("before", "after"):
            chain = [n + base if n >= 0 else NONE for n in columns[name]]
            getattr(self, name).extend(chain)
        for name in _PLAIN_COLUMNS:
            getattr(self, name).extend(columns[name])
        self.alive.frombytes(b"\1" * size)
        self.speaker_counts.update(self.speakers[base:])
        self.live_count += size
        self._turn_count += size - _count_tools(columns["flags"])
        self._context_total += sum(columns["context_lengths"])
        self._join_chains(base)
        self.blocks.append(block)
        self._clear_block_postings()

    def adopt(self, block: Block) -> None:
        """All documents that are in no block are in this one now."""
        self.blocks.append(block)
        self.postings, self._posting_count = {}, 0
        self._clear_block_postings()

    def _join_chains(self, base: int) -> None:
        """Join what was said in a session before a segment with what is in it."""
        flags, before, seqs = self.flags, self.before, self.seqs
        for first in range(base, len(self)):
            if before[first] >= 0 or flags[first] & TOOL:
                continue
            origin, last = self.origins[first], first
            while self.after[last] >= 0:
                last = self.after[last]
            previous = self._last_turns.get(origin, NONE)
            if previous < 0:
                self._last_turns[origin] = last
            elif seqs[previous] < seqs[first]:
                self._join(previous, first)
                self._last_turns[origin] = last
                self._measure(first)
            else:  # items that came late: one by one
                self._relink(first)

    def _relink(self, first: int) -> None:
        chain = [first, *self.walk(self.after, first, len(self))]
        for number in chain:
            self.before[number] = self.after[number] = NONE
            self._turn_count -= 1
            self._link(number)

    def _clear_block_postings(self) -> None:
        self._block_postings.clear()
        self._cached_count = 0

    def _in_blocks(self, stem: str) -> Postings:
        merged = self._block_postings.get(stem)
        if merged is None:
            merged = Postings()
            for block in self.blocks:
                if postings := block.postings(stem):
                    merged = merged + postings
            self._block_postings[stem] = merged
            self._cached_count += len(merged)
            while self._cached_count > _MAX_CACHED and len(self._block_postings) > 1:
                _, oldest = self._block_postings.popitem(last=False)
                self._cached_count -= len(oldest)
        self._block_postings.move_to_end(stem)
        return merged

    def neighbours(self, number: int) -> Iterator[int]:
        """The turns whose words count for a turn as well."""
        yield from self.walk(self.before, number, len(parameters.STATEMENT_AFTER))
        yield from self.walk(self.after, number, len(parameters.WORD_BEFORE))

    def _append_columns(self, document: IndexedDocument) -> None:
        speaker = self.speaker_names.number(document.speaker)
        self.speaker_counts[speaker] += 1
        values = {
            "origins": self.origin_names.number(document.origin),
            "seqs": document.seq,
            "keys": document.key,
            "written_at": document.written_at,
            "times": document.time,
            "roles": self.role_names.number(document.role),
            "speakers": speaker,
            "flags": document.flags,
            "statement_lengths": min(document.statement_length, _MAX_LENGTH),
            "question_lengths": min(document.question_length, _MAX_LENGTH),
            "context_lengths": 0,
            "before": NONE,
            "after": NONE,
            "alive": 1,
        }
        for name, value in values.items():
            getattr(self, name).append(value)

    def _link(self, number: int) -> None:
        """Put a turn into the chain of its session, which is in the order of seqs."""
        origin, seq = self.origins[number], self.seqs[number]
        before, after = self._last_turns.get(origin, NONE), NONE
        while before >= 0 and self.seqs[before] > seq:
            before, after = self.before[before], before
        self._join(before, number)
        self._join(number, after)
        if after < 0:
            self._last_turns[origin] = number
        self._turn_count += 1
        self._measure(number)

    def _unlink(self, number: int) -> None:
        before, after = self.before[number], self.after[number]
        self._join(before, after)
        if after < 0:
            self._last_turns[self.origins[number]] = before
        self._turn_count -= 1
        self._context_total -= self.context_lengths[number]
        if before >= 0 or after >= 0:
            self._measure(before if before >= 0 else after)

    def _join(self, before: int, after: int) -> None:
        if before >= 0:
            self.after[before] = after
        if after >= 0:
            self.before[after] = before

    def _measure(self, number: int) -> None:
        """Measure again what surrounds a turn and those whose neighbourhood it may have changed."""
        reach = len(parameters.STATEMENT_AFTER) + 1
        for changed in [number, *self.walk(self.before, number, reach)]:
            self._measure_one(changed)
        for changed in self.walk(self.after, number, reach):
            self._measure_one(changed)

    def _measure_one(self, number: int) -> None:
        units = 0
        for n, step in enumerate(self.walk(self.before, number, len(parameters.STATEMENT_AFTER))):
            units += (
                parameters.QUESTION_AFTER[n] * self.question_lengths[step]
                + parameters.STATEMENT_AFTER[n] * self.statement_lengths[step]
            )
        for n, step in enumerate(self.walk(self.after, number, len(parameters.WORD_BEFORE))):
            units += parameters.WORD_BEFORE[n] * (
                self.question_lengths[step] + self.statement_lengths[step]
            )
        self._context_total += units - self.context_lengths[number]
        self.context_lengths[number] = units

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
        if self.blocks:
            self.crowded = True  # blocks know their documents by number
            return
        numbers = [NONE] * len(self)
        for new_number, old_number in enumerate(compress(range(len(self)), self.alive)):
            numbers[old_number] = new_number
        alive = self.alive
        for name, code in _COLUMNS.items():
            setattr(self, name, array(code, compress(getattr(self, name), alive)))
        for chain in (self.before, self.after):
            for n, old_number in enumerate(chain):
                chain[n] = numbers[old_number] if old_number >= 0 else NONE
        renumbered = (
            (stem, postings.renumbered(numbers)) for stem, postings in self.postings.items()
        )
        self.postings = {stem: postings for stem, postings in renumbered if len(postings)}
        self._last_turns = {origin: numbers[n] for origin, n in self._last_turns.items() if n >= 0}
        self._source_keys = {numbers[fact]: keys for fact, keys in self._source_keys.items()}
        self.add_facts(())


def _count_tools(flags: array[int]) -> int:
    content = flags.tobytes()
    return sum(content.count(value) for value in range(FLAGS) if value & TOOL)
