"""Builds segments of what is not kept yet, and merges small ones, each document a few times."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments import (
    pieces,
    segment_content,
    version_checks,
)
from threadkeep.longterm.recall.segments.columns import Columns
from threadkeep.longterm.recall.segments.vector_build import VectorBuilder
from threadkeep.longterm.recall.segments.writer import Batch, SegmentWriter
from threadkeep.longterm.recall.sync import MIN_ITEMS, Outdated, SyncedIndex
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import Heads, SegmentHead, SegmentSpan

LEVELS: Final = (64, 512, 4_096, 32_768)
"""Documents from which on a segment is of a level; those of the last are never merged."""
MAX_LOADED_TAIL: Final = 4_096
"""Documents that are kept and still in memory as if they were not, until all is loaded anew."""

ANNOUNCED_SECONDS: Final = 600.0
"""Seconds that a builder may take to write one segment."""

_MIN_LIFE: Final = 0.05  # of a ttl that words of a session must have before them to be kept


def build(
    engine: Engine,
    synced: SyncedIndex,
    on_written: Callable[[int], object],
    vectors: VectorBuilder | None = None,
) -> None:
    """Keep what is in an index and not kept yet, if there is enough.

    The index was synced just now. Several builders may meet: one of them writes.

    Args:
        engine: of the user's sessions.
        synced: the index.
        on_written: called with the number of items that a segment keeps anew.
        vectors: carries over the vectors of segments that are merged.

    Raises:
        Outdated: the store has changed; sync again and try again.
    """
    if _is_being_built(engine, synced.heads):
        return
    _drop_stale(engine, synced)
    while batch := _next_batch(engine, synced):
        if vectors is not None:
            vectors.carry(synced, batch.replaced)
        on_written(_write(engine, synced, batch))
    if synced.heads.segments and len(synced.index) - _loaded(synced) > MAX_LOADED_TAIL:
        synced.reload()


def tail(synced: SyncedIndex) -> list[int]:
    """The documents that are in no segment yet, without facts, which are not kept."""
    index, stored_flags = synced.index, bytearray(len(synced.index))
    for segment_documents in synced.stored.values():
        if isinstance(segment_documents, range):
            stored_flags[segment_documents.start : segment_documents.stop] = b"\1" * len(
                segment_documents
            )
        else:
            for document_number in segment_documents:
                stored_flags[document_number] = 1
    return [
        document_number
        for document_number in range(len(index))
        if not stored_flags[document_number]
        and index.alive[document_number]
        and not index.flags[document_number] & FACT
    ]


def level(documents: int) -> int:
    """The level of a segment of so many documents; -1 = it is too small to be one."""
    return sum(documents >= minimum for minimum in LEVELS) - 1


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


def _is_being_built(engine: Engine, heads: Heads) -> bool:
    """Whether another builder announced a segment just now; one that died is not waited for."""
    return any(
        not head.complete and abs(engine.now() - head.written_at) < ANNOUNCED_SECONDS
        for head in heads.segments
    )


def _drop_stale(engine: Engine, synced: SyncedIndex) -> None:
    """Drop segments with items that are gone, which whoever removed them did not live to do."""
    index = synced.index
    if index.live_count == len(index):
        return
    stale_heads = [
        head
        for head in synced.heads.segments
        if not all(
            index.alive[document_number] for document_number in synced.stored.get(head.id, ())
        )
    ]
    if stale_heads:
        with suppress(Conflict):
            recall_segments.drop(engine, synced.user, synced.heads, stale_heads)
        synced.reload()
        raise Outdated


def _loaded(synced: SyncedIndex) -> int:
    return sum(block.size for block in synced.index.blocks)


def _next_batch(engine: Engine, synced: SyncedIndex) -> Batch | None:
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
    stored_heads = [head for head in synced.heads.segments if head.id in synced.stored]
    merge_count = merged([head.documents for head in stored_heads], len(new_documents))
    replaced_heads = stored_heads[len(stored_heads) - merge_count :]
    merged_documents = [
        document_number
        for head in replaced_heads
        for document_number in synced.stored[head.id]
        if synced.index.alive[document_number]
    ]
    leftover_documents = set(unsaved_documents).difference(new_documents)
    return Batch(
        [*merged_documents, *new_documents],
        replaced_heads,
        {synced.index.origins[document_number] for document_number in leftover_documents},
    )


def _lasting(engine: Engine, index: RecallIndex, numbers: list[int]) -> list[int]:
    """Those whose sessions will not expire at any moment."""
    ttl = engine.settings.ttl
    if ttl is None:
        return numbers
    newest_write_times = _newest(index, numbers)
    oldest_write_time = engine.now() - ttl * (1 - _MIN_LIFE)
    return [
        document_number
        for document_number in numbers
        if newest_write_times[index.origins[document_number]] > oldest_write_time
    ]


def _newest(index: RecallIndex, numbers: Iterable[int]) -> dict[int, float]:
    """When the last of some documents of each session was written."""
    newest_write_times: dict[int, float] = {}
    for document_number in numbers:
        origin_number, written_at = (
            index.origins[document_number],
            index.written_at[document_number],
        )
        newest_write_times[origin_number] = max(
            newest_write_times.get(origin_number, written_at), written_at
        )
    return newest_write_times


def _write(engine: Engine, synced: SyncedIndex, batch: Batch) -> int:
    """Write one segment: in one commit if it fits, else announced first and completed last."""
    version_checks.check_current(engine, synced)
    spans_by_session = _spans(synced, batch)
    version_checks.check_sessions(engine, synced, spans_by_session)
    segment_id = engine.new_id(engine.now())
    piece_contents, columns = segment_content.encode(synced.index, batch.numbers)
    head = SegmentHead(
        id=segment_id,
        analysis=analyzer.VERSION,
        documents=len(batch.numbers),
        pieces=len(piece_contents),
        columns=columns.vocabulary,
        complete=True,
        list_version=synced.list_version,
        list_seq=synced.list_seq if batch.is_last else 0,
        spans=spans_by_session,
        written_at=engine.now(),
        expires=_expires(engine, synced.index, batch.numbers),
    )
    piece_records = [
        pieces.piece_record(segment_id, piece_number, piece_content, head.written_at, head.expires)
        for piece_number, piece_content in enumerate(piece_contents)
    ]
    stream_version = SegmentWriter(engine, synced).write(head, piece_records, batch)
    _note(engine, synced, head, batch, stream_version, columns)
    version_checks.check_after(engine, synced, head)
    return len(batch.numbers) - sum(head.documents for head in batch.replaced)


def _spans(synced: SyncedIndex, batch: Batch) -> dict[str, SegmentSpan]:
    """What a segment holds of each session, and from where on that is to be read."""
    index, seq_ranges = synced.index, dict[int, tuple[int, int]]()
    for document_number in batch.numbers:
        seq = index.seqs[document_number]
        first_seq, last_seq = seq_ranges.get(index.origins[document_number], (seq, seq))
        seq_ranges[index.origins[document_number]] = min(first_seq, seq), max(last_seq, seq)
    spans_by_session = {}
    for origin_number, (first_seq, last_seq) in seq_ranges.items():
        session_id = index.origin_names.values[origin_number]
        progress = synced.sessions.progress(session_id)
        if progress is None:
            raise Outdated
        read_seq = last_seq if origin_number in batch.unfinished else progress.seq
        spans_by_session[session_id] = SegmentSpan(first_seq, last_seq, read_seq, progress.version)
    return spans_by_session


def _expires(engine: Engine, index: RecallIndex, numbers: list[int]) -> float | None:
    """When the first of the sessions may be over: words must not outlive what they were read of."""
    ttl = engine.settings.ttl
    return None if ttl is None else min(_newest(index, numbers).values()) + ttl


def _note(
    engine: Engine,
    synced: SyncedIndex,
    head: SegmentHead,
    batch: Batch,
    version: int,
    columns: Columns,
) -> None:
    """Know what was written, without reading it again."""
    remaining_heads = [
        stored_head
        for stored_head in synced.heads.segments
        if stored_head.id in synced.stored and stored_head not in batch.replaced
    ]
    if not batch.is_last:
        remaining_heads = [
            stored_head
            for stored_head in synced.heads.segments
            if stored_head not in batch.replaced
        ]
    remaining_gaps = [] if batch.is_last else synced.heads.gaps
    synced.heads = Heads(version, [*remaining_heads, head], remaining_gaps, [])
    for replaced_head in batch.replaced:
        synced.stored.pop(replaced_head.id)
    synced.stored[head.id] = array("I", batch.numbers)
    index = synced.index
    first_document = _loaded(synced)
    if batch.numbers == list(range(first_document, len(index))) and not batch.replaced:
        index.adopt(synced.reader.block(head.id, first_document, columns))
        synced.stored[head.id] = range(first_document, len(index))
    elif batch.replaced:
        _reload_if_loaded(synced, batch)


def _reload_if_loaded(synced: SyncedIndex, batch: Batch) -> None:
    """Blocks of segments that are gone cannot be read any more."""
    replaced_ids = {head.id for head in batch.replaced}
    if any(block.segment in replaced_ids for block in synced.index.blocks):
        synced.reload()
