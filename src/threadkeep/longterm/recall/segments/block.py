"""The postings of a segment, in pieces of neighbouring stems, which are read on demand."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from threadkeep.longterm.recall.postings import Postings
from threadkeep.longterm.recall.segments import pieces

PIECE_BYTES: Final = 64_000
"""Bytes of postings in one piece, before they are compressed; of one stem there may be more."""
_POSTING_BYTES: Final = 4


class PostingsPiece(NamedTuple):
    """The postings of some stems.

    Attributes:
        stems: sorted.
        ends: where the postings of each end.
        documents: numbers within the segment.
        counts: as in `Postings`.
    """

    stems: list[str]
    ends: array[int]
    documents: array[int]
    counts: array[int]

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        return 100 * len(self.stems) + _POSTING_BYTES * len(self.documents)


def encode(postings: Mapping[str, Postings]) -> Iterator[tuple[str, bytes]]:
    """Pieces of postings, each behind its first stem; the stems are sorted."""
    stems: list[str] = []
    size = 0
    for stem in sorted(postings):
        if stems and size + _POSTING_BYTES * len(postings[stem]) > PIECE_BYTES:
            yield stems[0], _encode(stems, postings)
            stems, size = [], 0
        stems.append(stem)
        size += _POSTING_BYTES * len(postings[stem]) + len(stem)
    if stems:
        yield stems[0], _encode(stems, postings)


def _encode(stems: list[str], postings: Mapping[str, Postings]) -> bytes:
    ends, documents, counts = array("I"), array("H"), array("H")
    for stem in stems:
        documents.extend(array("H", postings[stem].documents))
        counts.extend(postings[stem].counts)
        ends.append(len(documents))
    text = "\n".join(stems).encode("utf-8", "surrogatepass")
    return pieces.compressed([text, *map(pieces.to_bytes, (ends, documents, counts))])


def decode(content: bytes) -> PostingsPiece:
    """The piece of what `encode` made.

    Raises:
        BadPiece: it made no such thing.
    """
    try:
        text, ends, documents, counts = pieces.parts_of(content)
        return PostingsPiece(
            text.decode("utf-8", "surrogatepass").split("\n"),
            pieces.from_bytes("I", ends),
            pieces.from_bytes("H", documents),
            pieces.from_bytes("H", counts),
        )
    except ValueError as error:
        raise pieces.BadPiece("postings") from error


class Block:
    """A segment in an index: its documents have the numbers from `base` on.

    Args:
        segment: its id.
        base: the number of its first document.
        size: how many documents it holds.
        directory: of each piece of postings, the first stem.
        first_piece: the number of the first piece of postings.
        vocabulary: the numbers of the pieces of the vocabulary.
        piece: reads a piece of postings.
        text: reads the vocabulary.
    """

    def __init__(
        self,
        segment: str,
        base: int,
        size: int,
        *,
        directory: list[str],
        first_piece: int,
        vocabulary: range,
        piece: Callable[[str], PostingsPiece],
        text: Callable[[list[str]], str],
    ) -> None:
        self.segment = segment
        self.base = base
        self.size = size
        self._directory = directory
        self._first_piece = first_piece
        self._vocabulary = vocabulary
        self._piece = piece
        self._text = text

    def piece_id(self, stem: str) -> str | None:
        """The piece that has the postings of a stem, if there are any."""
        place = bisect_right(self._directory, stem) - 1
        return f"{self.segment}.{self._first_piece + place}" if place >= 0 else None

    def postings(self, stem: str) -> Postings | None:
        """The postings of a stem, by the numbers of the index."""
        id = self.piece_id(stem)
        if id is None:
            return None
        piece = self._piece(id)
        place = bisect_left(piece.stems, stem)
        if place == len(piece.stems) or piece.stems[place] != stem:
            return None
        return self._numbered(piece, place)

    def all(self) -> Iterator[tuple[str, Postings]]:
        """The postings of all stems."""
        for place in range(len(self._directory)):
            piece = self._piece(f"{self.segment}.{self._first_piece + place}")
            for n, stem in enumerate(piece.stems):
                yield stem, self._numbered(piece, n)

    def vocabulary(self) -> str:
        """All stems, each between two ends of lines."""
        return self._text([f"{self.segment}.{n}" for n in self._vocabulary])

    def _numbered(self, piece: PostingsPiece, place: int) -> Postings:
        start, end = piece.ends[place - 1] if place else 0, piece.ends[place]
        base, postings = self.base, Postings()
        postings.documents = array("I", [n + base for n in piece.documents[start:end]])
        postings.counts = piece.counts[start:end]
        return postings


def vocabulary_of(stems: Iterable[str]) -> str:
    """Stems, each between two ends of lines."""
    return "\n".join(("", *stems, ""))
