"""Whether sessions changed while a segment of them was being built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.sync import Outdated, SyncedIndex
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import HEAD, SegmentHead, SegmentSpan
from threadkeep.types import Page, Query
from threadkeep.types.versions import generation_of

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
    engine: Engine, synced: SyncedIndex, span_by_session: Mapping[str, SegmentSpan]
) -> Iterator[tuple[str, int]]:
    """The sessions that are not at the version they were read at, with the one they are at."""
    session_ids = list(span_by_session)
    for batch_start in range(0, len(session_ids), _VERSIONS_PER_READ):
        batch_ids = session_ids[batch_start : batch_start + _VERSIONS_PER_READ]
        version_queries = [
            Query(synced.sessions.stream(session_id), "item", limit=0) for session_id in batch_ids
        ]
        for session_id, session_page in zip(batch_ids, engine.read(*version_queries), strict=True):
            if session_page.version != span_by_session[session_id].version:
                yield session_id, session_page.version


def _edited_sessions(
    engine: Engine, synced: SyncedIndex, span_by_session: Mapping[str, SegmentSpan]
) -> Iterator[str]:
    """The sessions that changed since they were read, and were not only added to.

    To wait for a session to which nobody adds would be to build again and again.
    """
    for session_id, session_version in _changed_sessions(engine, synced, span_by_session):
        span = span_by_session[session_id]
        item_query = Query(synced.sessions.stream(session_id), "item", after=span.read, limit=1_000)
        item_page = engine.read(item_query)[0]
        if not session_version or not _only_grew(item_page, span):
            yield session_id


def _only_grew(item_page: Page, span: SegmentSpan) -> bool:
    """Whether the commits since a span was read are no more than those of the items behind it."""
    distinct_times = {item_record.at for item_record in item_page.records}
    is_same_life = generation_of(item_page.version) == generation_of(span.version)
    return is_same_life and item_page.version - span.version <= len(distinct_times)


def check_sessions(engine: Engine, synced: SyncedIndex, spans: Mapping[str, SegmentSpan]) -> None:
    """Look again at sessions that were edited since they were read, so that nothing old is kept.

    Raises:
        Outdated: there are some.
    """
    if edited_ids := list(_edited_sessions(engine, synced, spans)):
        synced.sessions.read(edited_ids, thorough=True)
        raise Outdated


def check_after(engine: Engine, synced: SyncedIndex, head: SegmentHead) -> None:
    """Drop a segment again if a session of it was edited meanwhile.

    Raises:
        Outdated: one was.
    """
    for session_id in _edited_sessions(engine, synced, head.spans):
        recall_segments.drop_touched(engine, synced.user, session_id)
        synced.reload()
        raise Outdated
