"""Builds segments of what is not kept yet, and merges small ones, each document a few times."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.postings import Postings
from threadkeep.longterm.recall.segments import block, columns, pieces
from threadkeep.longterm.recall.segments.columns import Columns
from threadkeep.longterm.recall.segments.vector_build import VectorBuilder
from threadkeep.longterm.recall.sync import MIN_ITEMS, Outdated, SyncedIndex
from threadkeep.sessions import recall_segments, user_index
from threadkeep.sessions.recall_segments import GAP, HEAD, Heads, SegmentHead, SegmentSpan
from threadkeep.types import KEEP, Drop, Query, Record
from threadkeep.types.batching import batches

LEVELS: Final = (64, 512, 4_096, 32_768)
"""Documents from which on a segment is of a level; those of the last are never merged."""
MAX_LOADED_TAIL: Final = 4_096
"""Documents that are kept and still in memory as if they were not, until all is loaded anew."""

ANNOUNCED_SECONDS: Final = 600.0
"""Seconds that a builder may take to write one segment."""

_VERSIONS_PER_READ: Final = 100
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


def _next_batch(engine: Engine, synced: SyncedIndex) -> _Batch | None:
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
    return _Batch([*numbers, *chunk], replaced, {synced.index.origins[n] for n in unwritten})


class _Batch:
    """Documents for one new segment.

    Attributes:
        numbers: of the documents.
        replaced: the segments that it replaces.
        unfinished: the sessions of which documents are left over.
        is_last: whether nothing is left over.
    """

    def __init__(
        self, numbers: list[int], replaced: list[SegmentHead], unfinished: set[int]
    ) -> None:
        self.numbers, self.replaced, self.unfinished = numbers, replaced, unfinished
        self.is_last = not unfinished


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


def _write(engine: Engine, synced: SyncedIndex, batch: _Batch) -> int:
    """Write one segment: in one commit if it fits, else announced first and completed last."""
    _check_current(engine, synced)
    spans = _spans(synced, batch)
    _check_sessions(engine, synced, spans)
    segment = engine.new_id(engine.now())
    content, gathered = _encode(synced.index, batch.numbers)
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
    version = _Writer(engine, synced).write(head, records, batch)
    _note(engine, synced, head, batch, version, gathered)
    _check_after(engine, synced, head)
    return len(batch.numbers) - sum(head.documents for head in batch.replaced)


def _encode(index: RecallIndex, numbers: list[int]) -> tuple[list[bytes], Columns]:
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


def _spans(synced: SyncedIndex, batch: _Batch) -> dict[str, SegmentSpan]:
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


def _check_current(engine: Engine, synced: SyncedIndex) -> None:
    query = Query(recall_segments.stream(engine, synced.user), HEAD, limit=0)
    if engine.read(query)[0].version != synced.heads.version:
        synced.reload()
        raise Outdated


def _changed(
    engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]
) -> Iterator[tuple[str, int]]:
    """The sessions that are not at the version they were read at, with the one they are at."""
    ids = list(spans)
    for start in range(0, len(ids), _VERSIONS_PER_READ):
        some = ids[start : start + _VERSIONS_PER_READ]
        queries = [Query(synced.sessions.stream(id), "item", limit=0) for id in some]
        for id, page in zip(some, engine.read(*queries), strict=True):
            if page.version != spans[id].version:
                yield id, page.version


def _check_sessions(engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]) -> None:
    """Read on in sessions that changed since they were read, so that nothing old is kept."""
    if changed := [id for id, _ in _changed(engine, synced, spans)]:
        synced.sessions.read(changed, thorough=True)
        raise Outdated


def _check_after(engine: Engine, synced: SyncedIndex, head: SegmentHead) -> None:
    """Drop a segment again if a session of it was changed meanwhile and not only added to."""
    for id, version in _changed(engine, synced, head.spans):
        span = head.spans[id]
        query = Query(synced.sessions.stream(id), "item", after=span.read, limit=1_000)
        page = engine.read(query)[0]
        moments = {record.at for record in page.records}
        if not version or page.version - span.version > len(moments):
            recall_segments.drop_touched(engine, synced.user, id)
            synced.reload()
            raise Outdated


class _Writer:
    """Writes the records of a segment."""

    def __init__(self, engine: Engine, synced: SyncedIndex) -> None:
        self._engine = engine
        self._user = synced.user
        self._stream = recall_segments.stream(engine, synced.user)
        self._heads = synced.heads
        self._ttl = engine.settings.ttl
        self._stale = [
            head for head in synced.heads.segments if head.id not in synced.stored
        ]  # damaged, or never finished: what they hold is among the new documents, or was

    def write(self, head: SegmentHead, records: list[Record], batch: _Batch) -> int:
        """Write it, without the segments that it replaces; returns the stream's version.

        Raises:
            Outdated: another builder, or somebody who forgets, was faster.
        """
        all_records = [*records, head.record(HEAD, head.written_at)]
        if len(list(batches(all_records))) == 1:
            return self._finish(all_records, batch, self._heads)
        heads = self._announce(head)
        for some in batches(records):
            heads = self._add(head, some, heads)
        return self._finish([head.record(HEAD, head.written_at)], batch, heads)

    def _finish(self, put: list[Record], batch: _Batch, heads: Heads) -> int:
        drop = recall_segments.dropping(batch.replaced)
        if batch.is_last:  # all that these held is in a segment again
            drop += recall_segments.dropping(self._stale)
            drop += [Drop(GAP, [gap.id for gap in heads.gaps])] if heads.gaps else []
        return self._commit(put, drop, heads.version)

    def _announce(self, head: SegmentHead) -> Heads:
        """Say which pieces will be written, so that they are found if this is cut short."""
        draft = head._replace(complete=False)
        version = self._commit([draft.record(HEAD, head.written_at)], [], self._heads.version)
        return self._heads._replace(version=version)

    def _add(self, head: SegmentHead, some: list[Record], heads: Heads) -> Heads:
        try:
            return heads._replace(version=self._commit(some, [], heads.version))
        except Outdated:
            with suppress(Conflict):
                self._engine.commit(self._stream, drop=recall_segments.dropping([head]), ttl=KEEP)
            raise

    def _commit(self, put: list[Record], drop: list[Drop], expect: int) -> int:
        try:
            version = self._engine.commit(
                self._stream, put=put, drop=drop, ttl=self._ttl, expect=expect
            ).version
        except Conflict as error:
            raise Outdated from error
        if not expect and not user_index.entries(self._engine, self._user, None, 1):
            # forgotten meanwhile, when there was no stream yet whose version would have told
            recall_segments.forget_user(self._engine, self._user)
            raise Outdated
        return version


def _note(
    engine: Engine,
    synced: SyncedIndex,
    head: SegmentHead,
    batch: _Batch,
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


def _reload_if_loaded(synced: SyncedIndex, batch: _Batch) -> None:
    """Blocks of segments that are gone cannot be read any more."""
    replaced = {head.id for head in batch.replaced}
    if any(each.segment in replaced for each in synced.index.blocks):
        synced.reload()
