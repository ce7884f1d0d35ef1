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
    empty = Vector(0.0, array("b", bytes(dimensions)))
    filled = [row or empty for row in rows]
    return [_encode(filled[n : n + ROWS], dimensions) for n in range(0, len(filled), ROWS)]


def _encode(rows: Sequence[Vector], dimensions: int) -> bytes:
    scales = array("f", [row.scale for row in rows])
    numbers = b"".join(row.numbers.tobytes() for row in rows)
    return dimensions.to_bytes(4, "little") + pieces.to_bytes(scales) + numbers


def read(
    read_pieces: Callable[[Sequence[str]], dict[str, bytes]],
    head: SegmentHead,
    places: Iterable[int],
) -> dict[int, Vector]:
    """The vectors of documents by their places in a segment; without those that are damaged."""
    sorted_places = sorted(set(places))
    ids = {place: f"{head.id}.{head.first_vector + place // ROWS}" for place in sorted_places}
    contents = read_pieces(sorted(set(ids.values())))
    vectors = {}
    for place in sorted_places:
        content = contents.get(ids[place])
        if content is not None and (row := _row(content, place % ROWS)) is not None:
            vectors[place] = row
    return vectors


def _row(content: bytes, row: int) -> Vector | None:
    dimensions = int.from_bytes(content[:4], "little")
    count, rest = divmod(len(content) - 4, 4 + dimensions)
    if rest or row >= count:
        raise BadPiece("vectors")
    scale = pieces.from_bytes("f", content[4 + 4 * row : 8 + 4 * row])[0]
    start = 4 + 4 * count + dimensions * row
    return Vector(scale, array("b", content[start : start + dimensions])) if scale else None
