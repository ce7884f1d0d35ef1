"""The pieces of a segment: its columns, its vocabulary and the postings of its documents."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.postings import Postings
from threadkeep.longterm.recall.segments import block, columns, pieces
from threadkeep.longterm.recall.segments.columns import Columns


def encode(index: RecallIndex, numbers: list[int]) -> tuple[list[bytes], Columns]:
    """The pieces of a segment, and its columns."""
    postings_by_stem = _postings(index, numbers)
    vocabulary_bytes = block.vocabulary_of(sorted(postings_by_stem)).encode(
        "utf-8", "surrogatepass"
    )
    vocabulary_pieces = pieces.split(pieces.compressed([vocabulary_bytes]))
    postings_pieces = list(block.encode(postings_by_stem))
    segment_columns = replace(
        columns.gather(index, numbers),
        directory=[stem for stem, _ in postings_pieces],
        vocabulary_pieces=len(vocabulary_pieces),
    )
    column_piece_count = 0  # of pieces of columns, which is written in them: mostly one
    column_pieces: list[bytes] = []
    while len(column_pieces) != column_piece_count or not column_pieces:
        column_piece_count = len(column_pieces) or 1
        column_pieces = pieces.split(
            columns.encode(replace(segment_columns, vocabulary=column_piece_count))
        )
    segment_columns = replace(segment_columns, vocabulary=column_piece_count)
    return [
        *column_pieces,
        *vocabulary_pieces,
        *(piece_content for _, piece_content in postings_pieces),
    ], segment_columns


def _postings(recall_index: RecallIndex, numbers: list[int]) -> dict[str, Postings]:
    """The postings of some documents, by their places in the list."""
    segment_numbers = array("i", bytes(4 * len(recall_index)))
    for number, document_number in enumerate(numbers, 1):
        segment_numbers[document_number] = number  # 0 = it is none of them
    postings_by_stem: dict[str, Postings] = {}
    for stem, postings in _all_postings(recall_index, numbers):
        number_count_pairs = [
            (segment_numbers[document_number], count)
            for document_number, count in postings.all()
            if segment_numbers[document_number]
        ]
        if number_count_pairs:
            stem_postings = postings_by_stem.setdefault(stem, Postings())
            stem_postings.documents.extend(number - 1 for number, _ in number_count_pairs)
            stem_postings.counts.extend(count for _, count in number_count_pairs)
    return {stem: _sorted(postings) for stem, postings in postings_by_stem.items()}


def _sorted(postings: Postings) -> Postings:
    documents = postings.documents
    if all(a < b for a, b in pairwise(documents)):
        return postings
    sorted_postings = Postings()
    for document_number, count in sorted(postings.all()):
        sorted_postings.documents.append(document_number)
        sorted_postings.counts.append(count)
    return sorted_postings


def _all_postings(recall_index: RecallIndex, numbers: list[int]) -> Iterator[tuple[str, Postings]]:
    """All postings of the parts of an index that have some documents."""
    first_number, last_number = min(numbers), max(numbers)
    for segment_block in recall_index.blocks:
        if (
            segment_block.base <= last_number
            and first_number < segment_block.base + segment_block.size
        ):
            yield from segment_block.all()
    yield from recall_index.postings_by_stem.items()
