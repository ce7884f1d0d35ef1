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
        both = Postings()
        both.documents = self.documents + later.documents
        both.counts = self.counts + later.counts
        return both

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
    filled = [part for part in parts if len(part)]
    if len(filled) == 1:
        return filled[0]
    counts: dict[int, int] = {}
    for part in filled:
        for document, count in part.all():
            old = counts.get(document, 0)
            counts[document] = max(old & 0xFF, count & 0xFF) | max(old & 0xFF00, count & 0xFF00)
    postings = Postings()
    postings.documents.extend(sorted(counts))
    postings.counts.extend(counts[document] for document in postings.documents)
    return postings
