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
        sorted_documents, counts, size = self.documents, self.counts, len(self.documents)
        for document in documents:
            position = bisect_left(sorted_documents, document)
            if position < size and sorted_documents[position] == document:
                yield document, counts[position]

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
        postings = Postings()
        for document, count in self.all():
            if numbers[document] >= 0:
                postings.documents.append(numbers[document])
                postings.counts.append(count)
        return postings


def union(parts: Sequence[Postings]) -> Postings:
    """The documents of any of several stems, each with the larger of its counts."""
    nonempty_parts = [part for part in parts if len(part)]
    if len(nonempty_parts) == 1:
        return nonempty_parts[0]
    counts_by_document: dict[int, int] = {}
    for part in nonempty_parts:
        for document, count in part.all():
            previous_count = counts_by_document.get(document, 0)
            counts_by_document[document] = max(previous_count & 0xFF, count & 0xFF) | max(
                previous_count & 0xFF00, count & 0xFF00
            )
    union_postings = Postings()
    union_postings.documents.extend(sorted(counts_by_document))
    union_postings.counts.extend(
        counts_by_document[document] for document in union_postings.documents
    )
    return union_postings
