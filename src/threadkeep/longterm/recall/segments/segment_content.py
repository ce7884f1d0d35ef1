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
    postings = _postings(index, numbers)
    text = block.vocabulary_of(sorted(postings)).encode("utf-8", "surrogatepass")
    vocabulary = pieces.split(pieces.compressed([text]))
    encoded = list(block.encode(postings))
    gathered = replace(
        columns.gather(index, numbers),
        directory=[stem for stem, _ in encoded],
        vocabulary_pieces=len(vocabulary),
    )
    count = 0  # of pieces of columns, which is written in them: mostly one
    parts: list[bytes] = []
    while len(parts) != count or not parts:
        count = len(parts) or 1
        parts = pieces.split(columns.encode(replace(gathered, vocabulary=count)))
    gathered = replace(gathered, vocabulary=count)
    return [*parts, *vocabulary, *(content for _, content in encoded)], gathered


def _postings(index: RecallIndex, numbers: list[int]) -> dict[str, Postings]:
    """The postings of some documents, by their places in the list."""
    places = array("i", bytes(4 * len(index)))
    for place, number in enumerate(numbers, 1):
        places[number] = place  # 0 = it is none of them
    by_stem: dict[str, Postings] = {}
    for stem, postings in _all_postings(index, numbers):
        chosen = [(places[n], count) for n, count in postings.all() if places[n]]
        if chosen:
            renumbered = by_stem.setdefault(stem, Postings())
            renumbered.documents.extend(place - 1 for place, _ in chosen)
            renumbered.counts.extend(count for _, count in chosen)
    return {stem: _sorted(postings) for stem, postings in by_stem.items()}


def _sorted(postings: Postings) -> Postings:
    documents = postings.documents
    if all(a < b for a, b in pairwise(documents)):
        return postings
    ordered = Postings()
    for document, count in sorted(postings.all()):
        ordered.documents.append(document)
        ordered.counts.append(count)
    return ordered


def _all_postings(index: RecallIndex, numbers: list[int]) -> Iterator[tuple[str, Postings]]:
    """All postings of the parts of an index that have some documents."""
    first, last = min(numbers), max(numbers)
    for each in index.blocks:
        if each.base <= last and first < each.base + each.size:
            yield from each.all()
    yield from index.postings.items()
