"""Counts the threads that have checkpoints, in a bounded part of the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from threadkeep.core import body, names
from threadkeep.core.engine import Engine
from threadkeep.core.record_shapes import CHECKPOINT_THREAD
from threadkeep.sessions import checkpoints
from threadkeep.sessions.checkpoints import NOUN, REFERENCE, ROOT, THREAD
from threadkeep.types import Page, Query, Record

_PAGE: Final = 50


@dataclass(slots=True)
class CheckpointCounts:
    """What a look at some streams of checkpoints found.

    Attributes:
        threads: how many there are.
        held: of them, how many a run is writing to, or was when it was killed: its lease goes on.
        without_messages: of them, how many have a newest message that is in no session any more.
    """

    threads: int = 0
    held: int = 0
    without_messages: int = 0


def count(engine: Engine, limit: int) -> CheckpointCounts:
    """Count threads with checkpoints, in about the first `limit` streams."""
    counts, cursor, stream_count = CheckpointCounts(), None, 0
    stream_prefix = names.noun_prefix(engine.settings.namespace, NOUN)
    while stream_count < limit:
        stream_names, cursor = engine.streams(stream_prefix, cursor=cursor, limit=min(_PAGE, limit))
        _count(engine, list(dict.fromkeys(stream_names)), counts)
        stream_count += len(stream_names)
        if cursor is None:
            break
    return counts


def _count(engine: Engine, streams: Sequence[str], counts: CheckpointCounts) -> None:
    """Two round trips: the threads, then the items of their newest messages."""
    queries = [query for stream in streams for query in _queries(stream)]
    thread_pages: list[Page] = engine.read(*queries) if queries else []
    item_queries: list[Query] = []
    for thread_page, lease_page, segment_page in zip(
        thread_pages[::3], thread_pages[1::3], thread_pages[2::3], strict=True
    ):
        thread_id = _root_of(thread_page.records)
        if thread_id is None:
            continue
        counts.threads += 1
        counts.held += bool(lease_page.records)
        item_id = _newest_item(segment_page.records)
        if item_id is not None:
            item_queries.append(
                Query(engine.stream("session", thread_id), "item", ids=[names.key(item_id)])
            )
    item_pages = engine.read(*item_queries) if item_queries else []
    counts.without_messages += sum(not item_page.records for item_page in item_pages)


def _queries(stream: str) -> tuple[Query, Query, Query]:
    return (
        Query(stream, THREAD, ids=[THREAD]),
        Query(stream, checkpoints.LEASE, limit=1),
        Query(stream, checkpoints.RUN, limit=1, newest=True),
    )


def _root_of(records: Sequence[Record]) -> str | None:
    """The thread whose root a stream is; `None` = it is another namespace, or unreadable."""
    for record in records:
        if body.is_readable(record, CHECKPOINT_THREAD):
            thread_fields = body.decode(record, CHECKPOINT_THREAD)
            return str(thread_fields["thread"]) if thread_fields["namespace"] == ROOT else None
    return None


def _newest_item(records: Sequence[Record]) -> str | None:
    """The id of the item of the last message in a segment; `None` = there is none."""
    element_keys: Any = []
    with suppress(ValueError):
        element_keys = json.loads(records[0].body) if records else []
    for element_key in reversed(element_keys if isinstance(element_keys, list) else []):
        if isinstance(element_key, str) and (reference_match := REFERENCE.fullmatch(element_key)):
            return reference_match["item"]
    return None
