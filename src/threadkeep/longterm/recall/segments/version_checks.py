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
    head_query = Query(recall_segments.stream(engine, synced.user), HEAD, limit=0)
    if engine.read(head_query)[0].version != synced.heads.version:
        synced.reload()
        raise Outdated


def _changed_sessions(
    engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]
) -> Iterator[tuple[str, int]]:
    """The sessions that are not at the version they were read at, with the one they are at."""
    session_ids = list(spans)
    for batch_start in range(0, len(session_ids), _VERSIONS_PER_READ):
        batch_ids = session_ids[batch_start : batch_start + _VERSIONS_PER_READ]
        version_queries = [
            Query(synced.sessions.stream(session_id), "item", limit=0) for session_id in batch_ids
        ]
        for session_id, session_page in zip(batch_ids, engine.read(*version_queries), strict=True):
            if session_page.version != spans[session_id].version:
                yield session_id, session_page.version


def check_sessions(engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]) -> None:
    """Read on in sessions that changed since they were read, so that nothing old is kept."""
    if changed_ids := [session_id for session_id, _ in _changed_sessions(engine, synced, spans)]:
        synced.sessions.read(changed_ids, thorough=True)
        raise Outdated


def check_after(engine: Engine, synced: SyncedIndex, head: SegmentHead) -> None:
    """Drop a segment again if a session of it was changed meanwhile and not only added to."""
    for session_id, session_version in _changed_sessions(engine, synced, head.spans):
        session_span = head.spans[session_id]
        item_query = Query(
            synced.sessions.stream(session_id), "item", after=session_span.read, limit=1_000
        )
        item_page = engine.read(item_query)[0]
        write_times = {item_record.at for item_record in item_page.records}
        if not session_version or item_page.version - session_span.version > len(write_times):
            recall_segments.drop_touched(engine, synced.user, session_id)
            synced.reload()
            raise Outdated
