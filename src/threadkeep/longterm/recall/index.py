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
        for column_name, type_code in _COLUMNS.items():
            setattr(self, column_name, array(type_code))
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
        document_number = len(self.alive)
        self._append_columns(document)
        for stem in {**document.statement_stems, **document.question_stems}:
            postings = self.postings.get(stem)
            if postings is None:
                postings = self.postings[stem] = Postings()
            postings.append(
                document_number, document.statement_stems[stem], document.question_stems[stem]
            )
            self._posting_count += 1
        self.live_count += 1
        if document.flags & FACT:
            self._source_keys[document_number] = document.sources
        elif not document.flags & TOOL:
            self._link(document_number)
        for fact_number in self._facts_by_key.get(document.key, []):
            if self.alive[fact_number]:
                self.sources[fact_number] = (*self.sources.get(fact_number, ()), document_number)
        return document_number

    def add_facts(self, facts: Iterable[IndexedDocument]) -> None:
        """Take in facts, and find the documents that they were learned from."""
        for document in facts:
            self.add(document)
        self._facts_by_key = {}
        self.sources.clear()
        for document_number, source_keys in self._source_keys.items():
            for source_key in source_keys:
                self._facts_by_key.setdefault(source_key, []).append(document_number)
        for document_number, source_key in enumerate(self.keys):
            if source_key in self._facts_by_key and self.alive[document_number]:
                for fact_number in self._facts_by_key[source_key]:
                    self.sources[fact_number] = (
                        *self.sources.get(fact_number, ()),
                        document_number,
                    )

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
            document_number
            for document_number, document_origin in enumerate(self.origins)
            if document_origin == origin_number and self.alive[document_number]
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
        first_number, document_count = len(self), len(columns["seqs"])
        for column_name, interner, segment_values in (
            ("origins", self.origin_names, names.origins),
            ("roles", self.role_names, names.roles),
            ("speakers", self.speaker_names, names.speakers),
        ):
            interned_numbers = [interner.number(segment_value) for segment_value in segment_values]
            getattr(self, column_name).extend([interned_numbers[n] for n in columns[column_name]])
        for column_name in ("before", "after"):
            renumbered_chain = [n + first_number if n >= 0 else NONE for n in columns[column_name]]
            getattr(self, column_name).extend(renumbered_chain)
        for column_name in _PLAIN_COLUMNS:
            getattr(self, column_name).extend(columns[column_name])
        self.alive.frombytes(b"\1" * document_count)
        self.speaker_counts.update(self.speakers[first_number:])
        self.live_count += document_count
        self._turn_count += document_count - _count_tools(columns["flags"])
        self._context_total += sum(columns["context_lengths"])
        self._join_chains(first_number)
        self.blocks.append(block)
        self._clear_block_postings()

    def adopt(self, block: Block) -> None:
        """All documents that are in no block are in this one now."""
        self.blocks.append(block)
        self.postings, self._posting_count = {}, 0
        self._clear_block_postings()

    def _join_chains(self, base: int) -> None:
        """Join what was said in a session before a segment with what is in it."""
        document_flags, previous_turns, seqs = self.flags, self.before, self.seqs
        for chain_start in range(base, len(self)):
            if previous_turns[chain_start] >= 0 or document_flags[chain_start] & TOOL:
                continue
            origin_number, chain_end = self.origins[chain_start], chain_start
            while self.after[chain_end] >= 0:
                chain_end = self.after[chain_end]
            previous_turn = self._last_turns.get(origin_number, NONE)
            if previous_turn < 0:
                self._last_turns[origin_number] = chain_end
            elif seqs[previous_turn] < seqs[chain_start]:
                self._join(previous_turn, chain_start)
                self._last_turns[origin_number] = chain_end
                self._measure(chain_start)
            else:  # items that came late: one by one
                self._relink(chain_start)

    def _relink(self, chain_start: int) -> None:
        turn_chain = [chain_start, *self.walk(self.after, chain_start, len(self))]
        for turn_number in turn_chain:
            self.before[turn_number] = self.after[turn_number] = NONE
            self._turn_count -= 1
            self._link(turn_number)

    def _clear_block_postings(self) -> None:
        self._block_postings.clear()
        self._cached_count = 0

    def _in_blocks(self, stem: str) -> Postings:
        merged_postings = self._block_postings.get(stem)
        if merged_postings is None:
            merged_postings = Postings()
            for block in self.blocks:
                if block_postings := block.postings(stem):
                    merged_postings = merged_postings + block_postings
            self._block_postings[stem] = merged_postings
            self._cached_count += len(merged_postings)
            while self._cached_count > _MAX_CACHED and len(self._block_postings) > 1:
                _, oldest_postings = self._block_postings.popitem(last=False)
                self._cached_count -= len(oldest_postings)
        self._block_postings.move_to_end(stem)
        return merged_postings

    def neighbours(self, number: int) -> Iterator[int]:
        """The turns whose words count for a turn as well."""
        yield from self.walk(self.before, number, len(parameters.STATEMENT_AFTER))
        yield from self.walk(self.after, number, len(parameters.WORD_BEFORE))

    def _append_columns(self, document: IndexedDocument) -> None:
        speaker_number = self.speaker_names.number(document.speaker)
        self.speaker_counts[speaker_number] += 1
        column_values = {
            "origins": self.origin_names.number(document.origin),
            "seqs": document.seq,
            "keys": document.key,
            "written_at": document.written_at,
            "times": document.time,
            "roles": self.role_names.number(document.role),
            "speakers": speaker_number,
            "flags": document.flags,
            "statement_lengths": min(document.statement_length, _MAX_LENGTH),
            "question_lengths": min(document.question_length, _MAX_LENGTH),
            "context_lengths": 0,
            "before": NONE,
            "after": NONE,
            "alive": 1,
        }
        for column_name, value in column_values.items():
            getattr(self, column_name).append(value)

    def _link(self, number: int) -> None:
        """Put a turn into the chain of its session, which is in the order of seqs."""
        origin_number, seq = self.origins[number], self.seqs[number]
        previous_turn, next_turn = self._last_turns.get(origin_number, NONE), NONE
        while previous_turn >= 0 and self.seqs[previous_turn] > seq:
            previous_turn, next_turn = self.before[previous_turn], previous_turn
        self._join(previous_turn, number)
        self._join(number, next_turn)
        if next_turn < 0:
            self._last_turns[origin_number] = number
        self._turn_count += 1
        self._measure(number)

    def _unlink(self, number: int) -> None:
        previous_turn, next_turn = self.before[number], self.after[number]
        self._join(previous_turn, next_turn)
        if next_turn < 0:
            self._last_turns[self.origins[number]] = previous_turn
        self._turn_count -= 1
        self._context_total -= self.context_lengths[number]
        if previous_turn >= 0 or next_turn >= 0:
            self._measure(previous_turn if previous_turn >= 0 else next_turn)

    def _join(self, previous_turn: int, next_turn: int) -> None:
        if previous_turn >= 0:
            self.after[previous_turn] = next_turn
        if next_turn >= 0:
            self.before[next_turn] = previous_turn

    def _measure(self, number: int) -> None:
        """Measure again what surrounds a turn and those whose neighbourhood it may have changed."""
        max_distance = len(parameters.STATEMENT_AFTER) + 1
        for turn in [number, *self.walk(self.before, number, max_distance)]:
            self._measure_one(turn)
        for turn in self.walk(self.after, number, max_distance):
            self._measure_one(turn)

    def _measure_one(self, number: int) -> None:
        context_units = 0
        for distance, neighbour in enumerate(
            self.walk(self.before, number, len(parameters.STATEMENT_AFTER))
        ):
            context_units += (
                parameters.QUESTION_AFTER[distance] * self.question_lengths[neighbour]
                + parameters.STATEMENT_AFTER[distance] * self.statement_lengths[neighbour]
            )
        for distance, neighbour in enumerate(
            self.walk(self.after, number, len(parameters.WORD_BEFORE))
        ):
            context_units += parameters.WORD_BEFORE[distance] * (
                self.question_lengths[neighbour] + self.statement_lengths[neighbour]
            )
        self._context_total += context_units - self.context_lengths[number]
        self.context_lengths[number] = context_units

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
        new_numbers = [NONE] * len(self)
        for new_number, old_number in enumerate(compress(range(len(self)), self.alive)):
            new_numbers[old_number] = new_number
        alive_flags = self.alive
        for column_name, type_code in _COLUMNS.items():
            setattr(
                self,
                column_name,
                array(type_code, compress(getattr(self, column_name), alive_flags)),
            )
        for neighbour_chain in (self.before, self.after):
            for position, old_number in enumerate(neighbour_chain):
                neighbour_chain[position] = new_numbers[old_number] if old_number >= 0 else NONE
        renumbered_postings = (
            (stem, postings.renumbered(new_numbers)) for stem, postings in self.postings.items()
        )
        self.postings = {stem: postings for stem, postings in renumbered_postings if len(postings)}
        self._last_turns = {
            origin_number: new_numbers[last_turn]
            for origin_number, last_turn in self._last_turns.items()
            if last_turn >= 0
        }
        self._source_keys = {
            new_numbers[fact_number]: source_keys
            for fact_number, source_keys in self._source_keys.items()
        }
        self.add_facts(())


def _count_tools(flags: array[int]) -> int:
    flag_bytes = flags.tobytes()
    return sum(flag_bytes.count(flag_set) for flag_set in range(FLAGS) if flag_set & TOOL)
