"""The turns of each session as a chain, and how long what surrounds a turn is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from threadkeep.longterm.recall import parameters
from threadkeep.longterm.recall.analyzer import FACT, FLAGS, TOOL, IndexedDocument
from threadkeep.longterm.recall.document_columns import NONE, DocumentColumns, LoadedNames


class ChainedDocuments(DocumentColumns):
    """Columns in which `before` and `after` lead from each turn to the next of its session."""

    def __init__(self) -> None:
        super().__init__()
        self._last_turns_by_origin: dict[int, int] = {}
        self._context_total = 0  # of all turns together
        self._turn_count = 0

    @property
    def average(self) -> float:
        """The mean length of what surrounds a turn, in units."""
        return self._context_total / self._turn_count if self._turn_count else 0.0

    def neighbours(self, number: int) -> Iterator[int]:
        """The turns whose words count for a turn as well."""
        yield from self.walk(self.before, number, len(parameters.STATEMENT_AFTER))
        yield from self.walk(self.after, number, len(parameters.WORD_BEFORE))

    @staticmethod
    def walk(chain: array[int], number: int, steps: int) -> Iterator[int]:
        """The turns reached from one along `before` or `after`, the nearest first."""
        for _ in range(steps):
            number = chain[number]
            if number < 0:
                return
            yield number

    def _append_row(self, document: IndexedDocument) -> int:
        document_number = super()._append_row(document)
        if not document.flags & (FACT | TOOL):
            self._link(document_number)
        return document_number

    def _mark_gone(self, number: int) -> None:
        super()._mark_gone(number)
        if not self.flags[number] & (FACT | TOOL):
            self._unlink(number)

    def _extend_rows(self, columns: Mapping[str, array[Any]], names: LoadedNames) -> int:
        first_number = super()._extend_rows(columns, names)
        self._turn_count += len(columns["seqs"]) - _count_tools(columns["flags"])
        self._context_total += sum(columns["context_lengths"])
        self._join_segment(first_number)
        return first_number

    def _compact_rows(self) -> list[int]:
        new_numbers = super()._compact_rows()
        self._last_turns_by_origin = {
            origin_number: new_numbers[last_turn]
            for origin_number, last_turn in self._last_turns_by_origin.items()
            if last_turn >= 0
        }
        return new_numbers

    def _join_segment(self, first_number: int) -> None:
        """Join what was said in a session before a segment with what is in it."""
        document_flags, previous_turns, seqs = self.flags, self.before, self.seqs
        for chain_start in range(first_number, len(self)):
            if previous_turns[chain_start] >= 0 or document_flags[chain_start] & TOOL:
                continue
            origin_number, chain_end = self.origins[chain_start], chain_start
            while self.after[chain_end] >= 0:
                chain_end = self.after[chain_end]
            previous_turn = self._last_turns_by_origin.get(origin_number, NONE)
            if previous_turn < 0:
                self._last_turns_by_origin[origin_number] = chain_end
            elif seqs[previous_turn] < seqs[chain_start]:
                self._join(previous_turn, chain_start)
                self._last_turns_by_origin[origin_number] = chain_end
                self._measure(chain_start)
            else:  # items that came late: one by one
                self._relink(chain_start)

    def _relink(self, chain_start: int) -> None:
        turn_numbers = [chain_start, *self.walk(self.after, chain_start, len(self))]
        for turn_number in turn_numbers:
            self.before[turn_number] = self.after[turn_number] = NONE
            self._turn_count -= 1
            self._link(turn_number)

    def _link(self, number: int) -> None:
        """Put a turn into the chain of its session, which is in the order of seqs."""
        origin_number, seq = self.origins[number], self.seqs[number]
        previous_turn, next_turn = self._last_turns_by_origin.get(origin_number, NONE), NONE
        while previous_turn >= 0 and self.seqs[previous_turn] > seq:
            previous_turn, next_turn = self.before[previous_turn], previous_turn
        self._join(previous_turn, number)
        self._join(number, next_turn)
        if next_turn < 0:
            self._last_turns_by_origin[origin_number] = number
        self._turn_count += 1
        self._measure(number)

    def _unlink(self, number: int) -> None:
        previous_turn, next_turn = self.before[number], self.after[number]
        self._join(previous_turn, next_turn)
        if next_turn < 0:
            self._last_turns_by_origin[self.origins[number]] = previous_turn
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


def _count_tools(flags: array[int]) -> int:
    flag_bytes = flags.tobytes()
    return sum(flag_bytes.count(flag_set) for flag_set in range(FLAGS) if flag_set & TOOL)
