"""The index of one user: columns of documents, postings of stems, chains of sessions.

A new document costs as much as it has stems: nothing of its neighbours is copied into it, they are
looked up along the chain of its session when a question is asked.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from threadkeep.longterm.recall.analyzer import FACT, IndexedDocument
from threadkeep.longterm.recall.block_postings import BlockPostings
from threadkeep.longterm.recall.document_columns import DOCUMENT_BYTES, LoadedNames
from threadkeep.longterm.recall.fact_sources import FactSources
from threadkeep.longterm.recall.postings import Postings, union
from threadkeep.longterm.recall.segments.block import Block, vocabulary_of
from threadkeep.longterm.recall.turn_chains import ChainedDocuments

_MAX_DEAD: Final = 256  # so many may lie about before anything is compacted
_NOTHING: Final = Postings()
_POSTING_BYTES: Final = 6
_STEM_BYTES: Final = 400
_ORIGIN_BYTES: Final = 500  # with what is known of a session beside the index


class RecallIndex(ChainedDocuments):
    """Documents by number, in the order they came; not thread-safe.

    Attributes:
        postings_by_stem: of documents that are in no block.
        blocks: segments of the kept index, whose postings are read when they are asked for.
        sources_by_fact: the documents that facts were learned from.
        crowded: whether so many documents are gone that it is to be loaded again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.postings_by_stem: dict[str, Postings] = {}
        self.blocks: list[Block] = []
        self.crowded = False
        self._block_postings = BlockPostings(self.blocks)
        self._fact_sources = FactSources()
        self.sources_by_fact = self._fact_sources.documents_by_fact
        self._posting_count = 0

    def add(self, document: IndexedDocument) -> int:
        """Take in a document; its number."""
        document_number = self._append_row(document)
        for stem in {**document.statement_stems, **document.question_stems}:
            postings = self.postings_by_stem.get(stem)
            if postings is None:
                postings = self.postings_by_stem[stem] = Postings()
            postings.append(
                document_number, document.statement_stems[stem], document.question_stems[stem]
            )
            self._posting_count += 1
        if document.flags & FACT:
            self._fact_sources.add_fact(document_number, document.sources)
        self._fact_sources.add_document(document_number, document.key, self.alive)
        return document_number

    def add_facts(self, facts: Iterable[IndexedDocument]) -> None:
        """Take in facts, and find the documents that they were learned from."""
        for document in facts:
            self.add(document)
        self._fact_sources.match(self.keys, self.alive)

    def remove(self, numbers: Iterable[int]) -> None:
        """Let documents go; their turns' neighbours become each other's."""
        for number in numbers:
            if self.alive[number]:
                self._mark_gone(number)
                self._fact_sources.remove(number)
        if len(self) - self.live_count > max(_MAX_DEAD, self.live_count // 4):
            self._compact()

    def lookup(self, stems: Iterable[str]) -> Postings:
        """The documents in which any of some stems occurs; do not change it."""
        postings_by_stem = self.postings_by_stem
        if not self.blocks:
            return union([postings_by_stem[stem] for stem in stems if stem in postings_by_stem])
        of_stem = self._block_postings.of_stem
        return union([of_stem(stem) + postings_by_stem.get(stem, _NOTHING) for stem in stems])

    def frequency(self, postings: Postings) -> int:
        """How many of the documents are still there."""
        if self.live_count == len(self):
            return len(postings)
        return sum(map(self.alive.__getitem__, postings.documents))

    def vocabularies(self) -> Iterator[str]:
        """All stems, each between two ends of lines."""
        yield vocabulary_of(self.postings_by_stem)
        for block in self.blocks:
            yield block.vocabulary()

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        posting_count = self._posting_count + self._block_postings.cached_count
        return (
            DOCUMENT_BYTES * len(self)
            + _POSTING_BYTES * posting_count
            + _STEM_BYTES * len(self.postings_by_stem)
            + _ORIGIN_BYTES * len(self.origin_names.values)
        )

    def load(self, columns: Mapping[str, array[Any]], names: LoadedNames, block: Block) -> None:
        """Take in the documents of a segment, of which none is there yet.

        Args:
            columns: by name, with numbers within the segment.
            names: what `origins`, `roles` and `speakers` are numbers of.
            block: its postings.
        """
        self._extend_rows(columns, names)
        self.blocks.append(block)
        self._block_postings.clear()

    def adopt(self, block: Block) -> None:
        """All documents that are in no block are in this one now."""
        self.blocks.append(block)
        self.postings_by_stem, self._posting_count = {}, 0
        self._block_postings.clear()

    def _compact(self) -> None:
        """Let go of the room of what is gone; documents get new numbers."""
        if self.blocks:
            self.crowded = True  # blocks know their documents by number
            return
        new_numbers = self._compact_rows()
        renumbered_postings = (
            (stem, postings.renumbered(new_numbers))
            for stem, postings in self.postings_by_stem.items()
        )
        self.postings_by_stem = {
            stem: postings for stem, postings in renumbered_postings if len(postings)
        }
        self._fact_sources.renumber(new_numbers)
        self.add_facts(())
