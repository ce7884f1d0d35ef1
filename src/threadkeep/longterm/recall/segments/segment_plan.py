"""Which documents the next segment gets: small ones are merged, each document a few times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments.writer import Batch
from threadkeep.longterm.recall.sync import MIN_ITEMS, SyncedIndex

LEVELS: Final = (64, 512, 4_096, 32_768)
"""Documents from which on a segment is of a level; those of the last are never merged."""

_MIN_LIFE: Final = 0.05  # of a ttl that words of a session must have before them to be kept


def next_batch(engine: Engine, synced: SyncedIndex) -> Batch | None:
    """What is to be written next."""
    unsaved_documents = tail(synced)
    lasting_documents = _lasting(engine, synced.index, unsaved_documents)
    if len(lasting_documents) < LEVELS[0] or synced.index.live_count < MIN_ITEMS:
        return None
    # what is left is never too little; numbers within a segment have sixteen bits
    new_documents = (
        lasting_documents
        if len(lasting_documents) < 2 * LEVELS[-1]
        else lasting_documents[: LEVELS[-1]]
    )
    stored_heads = [
        segment for segment in synced.heads.segments if segment.id in synced.documents_by_segment
    ]
    merge_count = merged([segment.documents for segment in stored_heads], len(new_documents))
    replaced_heads = stored_heads[len(stored_heads) - merge_count :]
    merged_documents = [
        document_number
        for segment in replaced_heads
        for document_number in synced.documents_by_segment[segment.id]
        if synced.index.alive[document_number]
    ]
    leftover_documents = set(unsaved_documents).difference(new_documents)
    return Batch(
        [*merged_documents, *new_documents],
        replaced_heads,
        {synced.index.origins[document_number] for document_number in leftover_documents},
    )


def tail(synced: SyncedIndex) -> list[int]:
    """The documents that are in no segment yet, without facts, which are not kept."""
    recall_index, stored_flags = synced.index, bytearray(len(synced.index))
    for segment_documents in synced.documents_by_segment.values():
        if isinstance(segment_documents, range):
            stored_flags[segment_documents.start : segment_documents.stop] = b"\1" * len(
                segment_documents
            )
        else:
            for document_number in segment_documents:
                stored_flags[document_number] = 1
    return [
        document_number
        for document_number in range(len(recall_index))
        if not stored_flags[document_number]
        and recall_index.alive[document_number]
        and not recall_index.flags[document_number] & FACT
    ]


def level(documents: int) -> int:
    """The level of a segment of so many documents; -1 = it is too small to be one."""
    return sum(documents >= min_count for min_count in LEVELS) - 1


def merged(sizes: Sequence[int], tail_size: int) -> int:
    """How many of the newest segments are to be merged with so many new documents."""
    merged_size, merged_count = tail_size, 0
    while True:
        extended_size, extended_count = merged_size, merged_count
        while extended_count < len(sizes) and level(sizes[-1 - extended_count]) <= level(
            merged_size
        ):
            extended_size += sizes[-1 - extended_count]
            extended_count += 1
        if (
            extended_count == merged_count
            or level(merged_size) == len(LEVELS) - 1
            or level(extended_size) <= level(merged_size)
        ):
            return merged_count
        merged_size, merged_count = extended_size, extended_count


def _lasting(engine: Engine, recall_index: RecallIndex, document_numbers: list[int]) -> list[int]:
    """Those whose sessions will not expire at any moment."""
    ttl = engine.settings.ttl
    if ttl is None:
        return document_numbers
    time_by_origin = newest_write_times(recall_index, document_numbers)
    oldest_write_time = engine.now() - ttl * (1 - _MIN_LIFE)
    return [
        document_number
        for document_number in document_numbers
        if time_by_origin[recall_index.origins[document_number]] > oldest_write_time
    ]


def newest_write_times(index: RecallIndex, numbers: Iterable[int]) -> dict[int, float]:
    """When the last of some documents of each session was written."""
    time_by_origin: dict[int, float] = {}
    for document_number in numbers:
        origin_number = index.origins[document_number]
        written_at = index.written_at[document_number]
        time_by_origin[origin_number] = max(
            time_by_origin.get(origin_number, written_at), written_at
        )
    return time_by_origin
