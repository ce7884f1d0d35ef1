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
    index, stored = synced.index, bytearray(len(synced.index))
    for numbers in synced.stored.values():
        if isinstance(numbers, range):
            stored[numbers.start : numbers.stop] = b"\1" * len(numbers)
        else:
            for n in numbers:
                stored[n] = 1
    return [
        n
        for n in range(len(index))
        if not stored[n] and index.alive[n] and not index.flags[n] & FACT
    ]


def level(documents: int) -> int:
    """The level of a segment of so many documents; -1 = it is too small to be one."""
    return sum(documents >= least for least in LEVELS) - 1


def merged(sizes: Sequence[int], tail_size: int) -> int:
    """How many of the newest segments are to be merged with so many new documents."""
    size, count = tail_size, 0
    while True:
        same, more = size, count
        while more < len(sizes) and level(sizes[-1 - more]) <= level(size):
            same += sizes[-1 - more]
            more += 1
        if more == count or level(size) == len(LEVELS) - 1 or level(same) <= level(size):
            return count
        size, count = same, more


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
    stale = [
        head
        for head in synced.heads.segments
        if not all(index.alive[n] for n in synced.stored.get(head.id, ()))
    ]
    if stale:
        with suppress(Conflict):
            recall_segments.drop(engine, synced.user, synced.heads, stale)
        synced.reload()
        raise Outdated


def _loaded(synced: SyncedIndex) -> int:
    return sum(each.size for each in synced.index.blocks)


def _next_batch(engine: Engine, synced: SyncedIndex) -> Batch | None:
    """What is to be written next."""
    everything = tail(synced)
    unsaved = _lasting(engine, synced.index, everything)
    if len(unsaved) < LEVELS[0] or synced.index.live_count < MIN_ITEMS:
        return None
    # what is left is never too little; numbers within a segment have sixteen bits
    chunk = unsaved if len(unsaved) < 2 * LEVELS[-1] else unsaved[: LEVELS[-1]]
    heads = [head for head in synced.heads.segments if head.id in synced.stored]
    count = merged([head.documents for head in heads], len(chunk))
    replaced = heads[len(heads) - count :]
    numbers = [n for head in replaced for n in synced.stored[head.id] if synced.index.alive[n]]
    unwritten = set(everything).difference(chunk)
    return Batch([*numbers, *chunk], replaced, {synced.index.origins[n] for n in unwritten})


def _lasting(engine: Engine, index: RecallIndex, numbers: list[int]) -> list[int]:
    """Those whose sessions will not expire at any moment."""
    ttl = engine.settings.ttl
    if ttl is None:
        return numbers
    newest = _newest(index, numbers)
    soon = engine.now() - ttl * (1 - _MIN_LIFE)
    return [n for n in numbers if newest[index.origins[n]] > soon]


def _newest(index: RecallIndex, numbers: Iterable[int]) -> dict[int, float]:
    """When the last of some documents of each session was written."""
    newest: dict[int, float] = {}
    for n in numbers:
        origin, written_at = index.origins[n], index.written_at[n]
        newest[origin] = max(newest.get(origin, written_at), written_at)
    return newest


def _write(engine: Engine, synced: SyncedIndex, batch: Batch) -> int:
    """Write one segment: in one commit if it fits, else announced first and completed last."""
    version_checks.check_current(engine, synced)
    spans = _spans(synced, batch)
    version_checks.check_sessions(engine, synced, spans)
    segment = engine.new_id(engine.now())
    content, gathered = segment_content.encode(synced.index, batch.numbers)
    head = SegmentHead(
        id=segment,
        analysis=analyzer.VERSION,
        documents=len(batch.numbers),
        pieces=len(content),
        columns=gathered.vocabulary,
        complete=True,
        list_version=synced.list_version,
        list_seq=synced.list_seq if batch.is_last else 0,
        spans=spans,
        written_at=engine.now(),
        expires=_expires(engine, synced.index, batch.numbers),
    )
    records = [
        pieces.piece_record(segment, n, part, head.written_at, head.expires)
        for n, part in enumerate(content)
    ]
    version = SegmentWriter(engine, synced).write(head, records, batch)
    _note(engine, synced, head, batch, version, gathered)
    version_checks.check_after(engine, synced, head)
    return len(batch.numbers) - sum(head.documents for head in batch.replaced)


def _spans(synced: SyncedIndex, batch: Batch) -> dict[str, SegmentSpan]:
    """What a segment holds of each session, and from where on that is to be read."""
    index, seqs = synced.index, dict[int, tuple[int, int]]()
    for n in batch.numbers:
        seq = index.seqs[n]
        first, last = seqs.get(index.origins[n], (seq, seq))
        seqs[index.origins[n]] = min(first, seq), max(last, seq)
    spans = {}
    for origin, (first, last) in seqs.items():
        id = index.origin_names.values[origin]
        progress = synced.sessions.progress(id)
        if progress is None:
            raise Outdated
        read = last if origin in batch.unfinished else progress.seq
        spans[id] = SegmentSpan(first, last, read, progress.version)
    return spans


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
    gathered: Columns,
) -> None:
    """Know what was written, without reading it again."""
    remaining = [
        each
        for each in synced.heads.segments
        if each.id in synced.stored and each not in batch.replaced
    ]
    if not batch.is_last:
        remaining = [each for each in synced.heads.segments if each not in batch.replaced]
    gaps = [] if batch.is_last else synced.heads.gaps
    synced.heads = Heads(version, [*remaining, head], gaps, [])
    for replaced in batch.replaced:
        synced.stored.pop(replaced.id)
    synced.stored[head.id] = array("I", batch.numbers)
    index = synced.index
    base = _loaded(synced)
    if batch.numbers == list(range(base, len(index))) and not batch.replaced:
        index.adopt(synced.reader.block(head.id, base, gathered))
        synced.stored[head.id] = range(base, len(index))
    elif batch.replaced:
        _reload_if_loaded(synced, batch)


def _reload_if_loaded(synced: SyncedIndex, batch: Batch) -> None:
    """Blocks of segments that are gone cannot be read any more."""
    replaced = {head.id for head in batch.replaced}
    if any(each.segment in replaced for each in synced.index.blocks):
        synced.reload()
