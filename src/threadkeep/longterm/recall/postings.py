"""Where a stem occurs: parallel arrays, six bytes for each document it is in."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_MAX_COUNT: Final = 255


class Postings:
    """The documents of one stem in the order they came, and how often it is in each."""

    __slots__ = ("counts", "documents")

    def __init__(self) -> None:
        self.documents = array("I")
        self.counts = array("H")

    def __len__(self) -> int:
        return len(self.documents)

    def append(self, document: int, statements: int, questions: int) -> None:
        """Add a document, the newest so far."""
        self.documents.append(document)
        self.counts.append(min(statements, _MAX_COUNT) | min(questions, _MAX_COUNT) << 8)

    def all(self) -> Iterator[tuple[int, int]]:
        """Every document with its counts: statements in the low byte, questions in the high."""
        return zip(self.documents, self.counts, strict=True)

    def newest(self, limit: int) -> Iterator[tuple[int, int]]:
        """The last so many."""
        return zip(self.documents[-limit:], self.counts[-limit:], strict=True)

    def among(self, documents: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Those of some documents in which the stem occurs."""
        sorted_documents, stem_counts, document_count = (
            self.documents,
            self.counts,
            len(self.documents),
        )
        for document in documents:
            document_index = bisect_left(sorted_documents, document)
            if document_index < document_count and sorted_documents[document_index] == document:
                yield document, stem_counts[document_index]

    def __add__(self, later: Postings) -> Postings:
        """These, and those of documents that came later."""
        if not later.documents:
            return self
        all_postings = Postings()
        all_postings.documents = self.documents + later.documents
        all_postings.counts = self.counts + later.counts
        return all_postings

    def renumbered(self, numbers: Sequence[int]) -> Postings:
        """Without the documents whose new number is -1, and the others under theirs."""
        renumbered_postings = Postings()
        for document, count in self.all():
            if numbers[document] >= 0:
                renumbered_postings.documents.append(numbers[document])
                renumbered_postings.counts.append(count)
        return renumbered_postings


def union(parts: Sequence[Postings]) -> Postings:
    """The documents of any of several stems, each with the larger of its counts."""
    nonempty_parts = [stem_postings for stem_postings in parts if len(stem_postings)]
    if len(nonempty_parts) == 1:
        return nonempty_parts[0]
    counts_by_document: dict[int, int] = {}
    for stem_postings in nonempty_parts:
        for document, packed_count in stem_postings.all():
            previous_count = counts_by_document.get(document, 0)
            counts_by_document[document] = max(previous_count & 0xFF, packed_count & 0xFF) | max(
                previous_count & 0xFF00, packed_count & 0xFF00
            )
    union_postings = Postings()
    union_postings.documents.extend(sorted(counts_by_document))
    union_postings.counts.extend(
        counts_by_document[document] for document in union_postings.documents
    )
    return union_postings
