"""Where a stem occurs: parallel arrays, six bytes for each document it is in."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_MOST: Final = 255


class Postings:
    """The documents of one stem in the order they came, and how often it is in each."""

    __slots__ = ("counts", "documents")

    def __init__(self) -> None:
        self.documents = array("I")
        self.counts = array("H")

    def __len__(self) -> int:
        return len(self.documents)

    def append(self, document: int, stated: int, asked: int) -> None:
        """Add a document, the newest so far."""
        self.documents.append(document)
        self.counts.append(min(stated, _MOST) | min(asked, _MOST) << 8)

    def all(self) -> Iterator[tuple[int, int]]:
        """Every document with its counts: statements in the low byte, questions in the high."""
        return zip(self.documents, self.counts, strict=True)

    def newest(self, most: int) -> Iterator[tuple[int, int]]:
        """The last so many."""
        return zip(self.documents[-most:], self.counts[-most:], strict=True)

    def among(self, documents: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Those of some documents in which the stem occurs."""
        held, counts, size = self.documents, self.counts, len(self.documents)
        for document in documents:
            place = bisect_left(held, document)
            if place < size and held[place] == document:
                yield document, counts[place]

    def renumbered(self, numbers: Sequence[int]) -> Postings:
        """Without the documents whose new number is -1, and the others under theirs."""
        fresh = Postings()
        for document, count in self.all():
            if numbers[document] >= 0:
                fresh.documents.append(numbers[document])
                fresh.counts.append(count)
        return fresh
