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
        words_by_document: of the document itself; those of short questions count
            `parameters.QUESTION_WORD`.
        units_by_document: what its neighbours give it, in `parameters.UNIT`s.
        fact_words_by_document: words of facts that were learned from it.
    """

    def __init__(self, index: RecallIndex) -> None:
        self._index = index
        self.words_by_document: dict[int, float] = {}
        self.units_by_document: dict[int, int] = {}
        self.fact_words_by_document: dict[int, int] = {}

    def add(self, postings: Iterable[tuple[int, int]]) -> None:
        """Spread postings: documents with their counts."""
        recall_index, words_by_document = self._index, self.words_by_document
        units_by_document, fact_words = self.units_by_document, self.fact_words_by_document
        alive_flags, document_flags = recall_index.alive, recall_index.flags
        previous_turns, next_turns = recall_index.before, recall_index.after
        units_after = tuple(zip(parameters.QUESTION_AFTER, parameters.STATEMENT_AFTER, strict=True))
        for n, counts in postings:  # no calls in here but those of dicts: it runs for each posting
            if not alive_flags[n]:
                continue
            statements, questions = counts & 0xFF, counts >> 8
            words_by_document[n] = statements + parameters.QUESTION_WORD * questions
            if document_flags[n] & FACT:
                for source in recall_index.sources_by_fact.get(n, ()):
                    if alive_flags[source]:
                        fact_words[source] = fact_words.get(source, 0) + statements
                continue
            turn = n
            for question_units, statement_units in units_after:
                if (turn := next_turns[turn]) < 0:
                    break
                units = question_units * questions + statement_units * statements
                units_by_document[turn] = units_by_document.get(turn, 0) + units
            turn, words = n, statements + questions
            for word_units in parameters.WORD_BEFORE:
                if (turn := previous_turns[turn]) < 0:
                    break
                units_by_document[turn] = units_by_document.get(turn, 0) + word_units * words

    def touched(self) -> set[int]:
        """The documents that get anything."""
        return {*self.words_by_document, *self.units_by_document, *self.fact_words_by_document}


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
        speakers, recall_index = self._speakers, self._index
        if not speakers:
            return 0
        document_speakers, neighbour_units = recall_index.speakers, 0
        for neighbour_chain, distances in (
            (recall_index.before, parameters.STATEMENT_AFTER),
            (recall_index.after, parameters.WORD_BEFORE),
        ):
            neighbour = number
            for _ in distances:
                if (neighbour := neighbour_chain[neighbour]) < 0:
                    break
                if document_speakers[neighbour] in speakers:
                    neighbour_units += parameters.NEIGHBOUR_SPEAKER
        return neighbour_units

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
