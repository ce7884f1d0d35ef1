"""Vectors of a segment, in pieces of a few rows, so that a question reads what it needs."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from threadkeep.longterm.recall.segments import pieces
from threadkeep.longterm.recall.segments.pieces import BadPiece
from threadkeep.longterm.recall.vectors import Vector
from threadkeep.sessions.recall_segments import SegmentHead

ROWS: Final = 32
"""Documents in one piece."""


def encode(rows: Sequence[Vector | None]) -> list[bytes]:
    """Pieces of the vectors of documents, in their order; `None` = it has none."""
    dimensions = next((len(row.numbers) for row in rows if row is not None), 0)
    zero_vector = Vector(0.0, array("b", bytes(dimensions)))
    vectors = [row or zero_vector for row in rows]
    return [
        _encode(vectors[first_row : first_row + ROWS], dimensions)
        for first_row in range(0, len(vectors), ROWS)
    ]


def _encode(rows: Sequence[Vector], dimensions: int) -> bytes:
    scales = array("f", [row.scale for row in rows])
    number_bytes = b"".join(row.numbers.tobytes() for row in rows)
    return dimensions.to_bytes(4, "little") + pieces.to_bytes(scales) + number_bytes


def read(
    read_pieces: Callable[[Sequence[str]], dict[str, bytes]],
    head: SegmentHead,
    places: Iterable[int],
) -> dict[int, Vector]:
    """The vectors of documents by their places in a segment; without those that are damaged."""
    sorted_places = sorted(set(places))
    piece_id_by_place = {
        place: f"{head.id}.{head.first_vector + place // ROWS}" for place in sorted_places
    }
    piece_contents = read_pieces(sorted(set(piece_id_by_place.values())))
    vector_by_place = {}
    for place in sorted_places:
        piece_content = piece_contents.get(piece_id_by_place[place])
        if piece_content is not None and (vector := _row(piece_content, place % ROWS)) is not None:
            vector_by_place[place] = vector
    return vector_by_place


def _row(content: bytes, row: int) -> Vector | None:
    dimensions = int.from_bytes(content[:4], "little")
    row_count, surplus_bytes = divmod(len(content) - 4, 4 + dimensions)
    if surplus_bytes or row >= row_count:
        raise BadPiece("vectors")
    scale = pieces.from_bytes("f", content[4 + 4 * row : 8 + 4 * row])[0]
    row_start = 4 + 4 * row_count + dimensions * row
    return Vector(scale, array("b", content[row_start : row_start + dimensions])) if scale else None
