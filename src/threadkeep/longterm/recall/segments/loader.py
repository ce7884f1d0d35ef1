"""Loads the kept index of a user, and says which of its segments are lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments.reader import SegmentReader
from threadkeep.sessions.recall_segments import Heads, SegmentHead
from threadkeep.types.versions import generation_of


class LoadedSegments(NamedTuple):
    """What was loaded.

    Attributes:
        documents_by_segment: those that are in each segment, by its id.
        damaged: segments that cannot be read.
        unread: those of another analysis or list: their items are to be read again.
    """

    documents_by_segment: dict[str, Sequence[int]]
    damaged: list[SegmentHead]
    unread: list[SegmentHead]


def load(
    reader: SegmentReader, index: RecallIndex, heads: Heads, list_version: int
) -> LoadedSegments | None:
    """Load segments into an empty index; `None` if there is none to be read."""
    readable_heads = [head for head in heads.segments if _is_readable(head, list_version)]
    if not readable_heads:
        return None
    unread_heads = [head for head in heads.segments if head.complete and head not in readable_heads]
    damaged_heads = reader.load(index, readable_heads)
    loaded_heads = [head for head in readable_heads if head not in damaged_heads]
    return LoadedSegments(_document_ranges(loaded_heads), damaged_heads, unread_heads)


def _is_readable(head: SegmentHead, list_version: int) -> bool:
    """Whether a segment is whole, of this way to take words apart, and of this list of sessions."""
    same_list = generation_of(head.list_version) == generation_of(list_version)
    return head.complete and head.analysis == analyzer.VERSION and same_list


def _document_ranges(heads: Iterable[SegmentHead]) -> dict[str, Sequence[int]]:
    """The documents of segments that were loaded one after the other."""
    range_by_segment: dict[str, Sequence[int]] = {}
    first_document = 0
    for head in heads:
        range_by_segment[head.id] = range(first_document, first_document + head.documents)
        first_document += head.documents
    return range_by_segment
