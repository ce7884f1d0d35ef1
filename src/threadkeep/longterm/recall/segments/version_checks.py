"""Whether sessions changed while a segment of them was being built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.sync import Outdated, SyncedIndex
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import HEAD, SegmentHead, SegmentSpan
from threadkeep.types import Query

_VERSIONS_PER_READ: Final = 100


def check_current(engine: Engine, synced: SyncedIndex) -> None:
    """Check that nobody wrote to the stored index since it was read.

    Raises:
        Outdated: somebody did.
    """
    query = Query(recall_segments.stream(engine, synced.user), HEAD, limit=0)
    if engine.read(query)[0].version != synced.heads.version:
        synced.reload()
        raise Outdated


def _changed_sessions(
    engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]
) -> Iterator[tuple[str, int]]:
    """The sessions that are not at the version they were read at, with the one they are at."""
    ids = list(spans)
    for start in range(0, len(ids), _VERSIONS_PER_READ):
        batch = ids[start : start + _VERSIONS_PER_READ]
        queries = [Query(synced.sessions.stream(id), "item", limit=0) for id in batch]
        for id, page in zip(batch, engine.read(*queries), strict=True):
            if page.version != spans[id].version:
                yield id, page.version


def check_sessions(engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]) -> None:
    """Read on in sessions that changed since they were read, so that nothing old is kept."""
    if changed := [id for id, _ in _changed_sessions(engine, synced, spans)]:
        synced.sessions.read(changed, thorough=True)
        raise Outdated


def check_after(engine: Engine, synced: SyncedIndex, head: SegmentHead) -> None:
    """Drop a segment again if a session of it was changed meanwhile and not only added to."""
    for id, version in _changed_sessions(engine, synced, head.spans):
        span = head.spans[id]
        query = Query(synced.sessions.stream(id), "item", after=span.read, limit=1_000)
        page = engine.read(query)[0]
        moments = {record.at for record in page.records}
        if not version or page.version - span.version > len(moments):
            recall_segments.drop_touched(engine, synced.user, id)
            synced.reload()
            raise Outdated
