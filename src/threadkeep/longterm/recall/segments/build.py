"""Builds segments of what is not kept yet: checks, writes, and notes what was written."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments import (
    pieces,
    segment_content,
    segment_plan,
    version_checks,
)
from threadkeep.longterm.recall.segments.columns import Columns
from threadkeep.longterm.recall.segments.vector_build import VectorBuilder
from threadkeep.longterm.recall.segments.writer import Batch, SegmentWriter
from threadkeep.longterm.recall.sync import Outdated, SyncedIndex
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import Heads, SegmentHead, SegmentSpan

MAX_LOADED_TAIL: Final = 4_096
"""Documents that are kept and still in memory as if they were not, until all is loaded anew."""

ANNOUNCED_SECONDS: Final = 600.0
"""Seconds that a builder may take to write one segment."""


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
    while batch := segment_plan.next_batch(engine, synced):
        if vectors is not None:
            vectors.carry(synced, batch.replaced)
        on_written(_write(engine, synced, batch))
    if synced.heads.segments and len(synced.index) - _loaded(synced) > MAX_LOADED_TAIL:
        synced.reload()


def _is_being_built(engine: Engine, heads: Heads) -> bool:
    """Whether another builder announced a segment just now; one that died is not waited for."""
    return any(
        not segment.complete and abs(engine.now() - segment.written_at) < ANNOUNCED_SECONDS
        for segment in heads.segments
    )


def _drop_stale(engine: Engine, synced: SyncedIndex) -> None:
    """Drop segments with items that are gone, which whoever removed them did not live to do."""
    recall_index = synced.index
    if recall_index.live_count == len(recall_index):
        return
    stale_heads = [
        segment
        for segment in synced.heads.segments
        if not all(recall_index.alive[n] for n in synced.documents_by_segment.get(segment.id, ()))
    ]
    if stale_heads:
        with suppress(Conflict):
            recall_segments.drop(engine, synced.user, synced.heads, stale_heads)
        synced.reload()
        raise Outdated


def _loaded(synced: SyncedIndex) -> int:
    return sum(block.size for block in synced.index.blocks)


def _write(engine: Engine, synced: SyncedIndex, batch: Batch) -> int:
    """Write one segment: in one commit if it fits, else announced first and completed last."""
    version_checks.check_current(engine, synced)
    span_by_session = _spans(synced, batch)
    version_checks.check_sessions(engine, synced, span_by_session)
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
        spans=span_by_session,
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
    recall_index, seq_ranges = synced.index, dict[int, tuple[int, int]]()
    for document_number in batch.numbers:
        seq = recall_index.seqs[document_number]
        first_seq, last_seq = seq_ranges.get(recall_index.origins[document_number], (seq, seq))
        seq_ranges[recall_index.origins[document_number]] = min(first_seq, seq), max(last_seq, seq)
    span_by_session = {}
    for origin_number, (first_seq, last_seq) in seq_ranges.items():
        session_id = recall_index.origin_names.values[origin_number]
        progress = synced.sessions.progress(session_id)
        if progress is None:
            raise Outdated
        read_seq = last_seq if origin_number in batch.unfinished else progress.seq
        span_by_session[session_id] = SegmentSpan(first_seq, last_seq, read_seq, progress.version)
    return span_by_session


def _expires(engine: Engine, recall_index: RecallIndex, numbers: list[int]) -> float | None:
    """When the first of the sessions may be over: words must not outlive what they were read of."""
    ttl = engine.settings.ttl
    if ttl is None:
        return None
    return min(segment_plan.newest_write_times(recall_index, numbers).values()) + ttl


def _note(
    engine: Engine,
    synced: SyncedIndex,
    new_head: SegmentHead,
    batch: Batch,
    version: int,
    columns: Columns,
) -> None:
    """Know what was written, without reading it again."""
    remaining_heads = [
        stored_head
        for stored_head in synced.heads.segments
        if stored_head.id in synced.documents_by_segment and stored_head not in batch.replaced
    ]
    if not batch.is_last:
        remaining_heads = [
            stored_head
            for stored_head in synced.heads.segments
            if stored_head not in batch.replaced
        ]
    remaining_gaps = [] if batch.is_last else synced.heads.gaps
    synced.heads = Heads(version, [*remaining_heads, new_head], remaining_gaps, [])
    for replaced_head in batch.replaced:
        synced.documents_by_segment.pop(replaced_head.id)
    synced.documents_by_segment[new_head.id] = array("I", batch.numbers)
    recall_index = synced.index
    first_document = _loaded(synced)
    if batch.numbers == list(range(first_document, len(recall_index))) and not batch.replaced:
        recall_index.adopt(synced.reader.block(new_head.id, first_document, columns))
        synced.documents_by_segment[new_head.id] = range(first_document, len(recall_index))
    elif batch.replaced:
        _reload_if_loaded(synced, batch)


def _reload_if_loaded(synced: SyncedIndex, batch: Batch) -> None:
    """Blocks of segments that are gone cannot be read any more."""
    replaced_ids = {segment.id for segment in batch.replaced}
    if any(block.segment in replaced_ids for block in synced.index.blocks):
        synced.reload()
