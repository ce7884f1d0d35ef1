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
    piece_stems: list[str] = []
    piece_size = 0
    for stem in sorted(postings):
        if piece_stems and piece_size + _POSTING_BYTES * len(postings[stem]) > PIECE_BYTES:
            yield piece_stems[0], _encode(piece_stems, postings)
            piece_stems, piece_size = [], 0
        piece_stems.append(stem)
        piece_size += _POSTING_BYTES * len(postings[stem]) + len(stem)
    if piece_stems:
        yield piece_stems[0], _encode(piece_stems, postings)


def _encode(stems: list[str], postings_by_stem: Mapping[str, Postings]) -> bytes:
    posting_ends, document_numbers, counts = array("I"), array("H"), array("H")
    for stem in stems:
        document_numbers.extend(array("H", postings_by_stem[stem].documents))
        counts.extend(postings_by_stem[stem].counts)
        posting_ends.append(len(document_numbers))
    stem_bytes = "\n".join(stems).encode("utf-8", "surrogatepass")
    return pieces.compressed(
        [stem_bytes, *map(pieces.to_bytes, (posting_ends, document_numbers, counts))]
    )


def decode(content: bytes) -> PostingsPiece:
    """The piece of what `encode` made.

    Raises:
        BadPiece: it made no such thing.
    """
    try:
        stem_lines, end_bytes, document_bytes, count_bytes = pieces.parts_of(content)
        return PostingsPiece(
            stem_lines.decode("utf-8", "surrogatepass").split("\n"),
            pieces.from_bytes("I", end_bytes),
            pieces.from_bytes("H", document_bytes),
            pieces.from_bytes("H", count_bytes),
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
        piece_index = bisect_right(self._directory, stem) - 1
        return f"{self.segment}.{self._first_piece + piece_index}" if piece_index >= 0 else None

    def postings(self, stem: str) -> Postings | None:
        """The postings of a stem, by the numbers of the index."""
        piece_id = self.piece_id(stem)
        if piece_id is None:
            return None
        piece = self._piece(piece_id)
        stem_index = bisect_left(piece.stems, stem)
        if stem_index == len(piece.stems) or piece.stems[stem_index] != stem:
            return None
        return self._numbered(piece, stem_index)

    def all(self) -> Iterator[tuple[str, Postings]]:
        """The postings of all stems."""
        for piece_index in range(len(self._directory)):
            piece = self._piece(f"{self.segment}.{self._first_piece + piece_index}")
            for stem_index, stem in enumerate(piece.stems):
                yield stem, self._numbered(piece, stem_index)

    def vocabulary(self) -> str:
        """All stems, each between two ends of lines."""
        return self._text([f"{self.segment}.{piece_number}" for piece_number in self._vocabulary])

    def _numbered(self, piece: PostingsPiece, stem_index: int) -> Postings:
        first_posting, end_posting = (
            piece.ends[stem_index - 1] if stem_index else 0,
            piece.ends[stem_index],
        )
        first_document, postings = self.base, Postings()
        postings.documents = array(
            "I", [n + first_document for n in piece.documents[first_posting:end_posting]]
        )
        postings.counts = piece.counts[first_posting:end_posting]
        return postings


def vocabulary_of(stems: Iterable[str]) -> str:
    """Stems, each between two ends of lines."""
    return "\n".join(("", *stems, ""))
