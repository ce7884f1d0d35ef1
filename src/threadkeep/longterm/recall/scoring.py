"""What one stem gives to documents: where it stands, to neighbours, by facts, names and dates."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from threadkeep.longterm.recall import parameters, tokenizer
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.tokenizer import Word

_DAY: Final = 86_400


class StemScores:
    """The counts of one stem by document.

    Attributes:
        direct: words of the document itself; those of short questions count `weights.ASKED`.
        context_units: what its neighbours give it, in `weights.UNIT`s.
        fact_counts: words of facts that were learned from it.
    """

    def __init__(self, index: RecallIndex) -> None:
        self._index = index
        self.direct: dict[int, float] = {}
        self.context_units: dict[int, int] = {}
        self.fact_counts: dict[int, int] = {}

    def add(self, postings: Iterable[tuple[int, int]]) -> None:
        """Spread postings: documents with their counts."""
        index, direct_counts, context_units, fact_counts = (
            self._index,
            self.direct,
            self.context_units,
            self.fact_counts,
        )
        alive_flags, document_flags, previous_turns, next_turns = (
            index.alive,
            index.flags,
            index.before,
            index.after,
        )
        units_by_distance = tuple(
            zip(parameters.QUESTION_AFTER, parameters.STATEMENT_AFTER, strict=True)
        )
        for document_number, packed_counts in postings:
            if not alive_flags[document_number]:
                continue
            statement_count, question_count = packed_counts & 0xFF, packed_counts >> 8
            direct_counts[document_number] = (
                statement_count + parameters.QUESTION_WORD * question_count
            )
            if document_flags[document_number] & FACT:
                for source_document in index.sources_by_fact.get(document_number, ()):
                    if alive_flags[source_document]:
                        fact_counts[source_document] = (
                            fact_counts.get(source_document, 0) + statement_count
                        )
                continue
            neighbour = document_number
            for question_units, statement_units in units_by_distance:
                if (neighbour := next_turns[neighbour]) < 0:
                    break
                context_units[neighbour] = (
                    context_units.get(neighbour, 0)
                    + question_units * question_count
                    + statement_units * statement_count
                )
            neighbour = document_number
            for statement_units in parameters.WORD_BEFORE:
                if (neighbour := previous_turns[neighbour]) < 0:
                    break
                context_units[neighbour] = context_units.get(neighbour, 0) + statement_units * (
                    statement_count + question_count
                )

    def touched(self) -> set[int]:
        """The documents that get anything."""
        return {*self.direct, *self.context_units, *self.fact_counts}


class LabelMatches:
    """A word as the name of a speaker, or as part of a date."""

    def __init__(self, index: RecallIndex, word: Word) -> None:
        self._index = index
        self._stem = word[0]
        speaker_names = index.speaker_names.values
        self._speakers = {
            speaker_number
            for speaker_number, document_count in index.speaker_counts.items()
            if document_count and any(stem in speaker_names[speaker_number] for stem in word)
        }
        self._dates = tokenizer.is_date_stem(self._stem)
        self.any = bool(self._speakers) or self._dates

    def boost(self, number: int) -> float:
        """What it gives to a document that it is a label of."""
        boost = parameters.SPEAKER if self.is_speaker(number) else 0.0
        return boost + parameters.DATE if self.is_date(number) else boost

    def is_speaker(self, number: int) -> bool:
        """Whether it names who speaks."""
        return self._index.speakers[number] in self._speakers

    def is_date(self, number: int) -> bool:
        """Whether it is part of the date."""
        return self._dates and self._stem in date_stems_of(int(self._index.times[number] // _DAY))

    def context_units(self, number: int) -> int:
        """What it gives to a document whose neighbours' speaker it names, in units."""
        speakers, index = self._speakers, self._index
        if not speakers:
            return 0
        document_speakers, units = index.speakers, 0
        for neighbour_chain, distances in (
            (index.before, parameters.STATEMENT_AFTER),
            (index.after, parameters.WORD_BEFORE),
        ):
            neighbour = number
            for _ in distances:
                if (neighbour := neighbour_chain[neighbour]) < 0:
                    break
                if document_speakers[neighbour] in speakers:
                    units += parameters.NEIGHBOUR_SPEAKER
        return units

    def documents(self, limit: int | None = None) -> set[int]:
        """The documents that it is a label of; the newest so many."""
        alive_flags = self._index.alive
        labelled_documents = (
            document_number
            for document_number in range(len(alive_flags))
            if alive_flags[document_number] and self.boost(document_number)
        )
        return set(deque(labelled_documents, limit))


@functools.lru_cache(maxsize=4_096)
def date_stems_of(day: int) -> tuple[str, ...]:
    """The stems of the date of a day, counted from 1970."""
    try:
        return tokenizer.date_stems(datetime.fromtimestamp(day * _DAY, UTC))
    except (OverflowError, OSError, ValueError):
        return ()
