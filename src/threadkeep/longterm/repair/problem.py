"""One thing that is wrong in a store, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from threadkeep.core import body
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.pages import stream_pages
from threadkeep.core.shape import Check
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Query, Record

GRACE: Final = 3_600.0
"""Seconds in which what looks like an orphan may be half of a write that goes on."""

PAGE: Final = 200
_TRIES: Final = 16


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """Something wrong in a store.

    Attributes:
        stream: where it is.
        problem: what it is, in a few words.
        detail: the id of the record, or what to do where nothing mends it.
        fix: mends it; returns False if others were faster. `None` = nothing can.
    """

    stream: str
    problem: str
    detail: str
    fix: Callable[[], bool] | None = None


def streams(engine: Engine, prefix: str, limit: int | None) -> Iterator[list[str]]:
    """The names of the streams of a prefix, in pages; at most about `limit`."""
    stream_count = 0
    for stream_page in stream_pages(engine, prefix, PAGE):
        yield stream_page
        stream_count += len(stream_page)
        if limit is not None and stream_count >= limit:
            return


def unreadable(engine: Engine, stream: str, record: Record, check: Check) -> Iterator[StoreFinding]:
    """The finding that a record cannot be read, if that is so."""
    try:
        body.decode(record, check)
    except UnreadableRecord as error:
        yield orphan(engine, stream, record, "unreadable record", error.reason)


def orphan(
    engine: Engine, stream: str, record: Record, problem: str, detail: str = ""
) -> StoreFinding:
    """The finding of a record that is of no use; it is mended by removing it."""
    fix = partial(_drop_record, engine, stream, record)
    return StoreFinding(stream, problem, detail or f"{record.kind} {record.id}", fix)


def orphaned_stream(engine: Engine, stream: str, version: int, problem: str) -> StoreFinding:
    """The finding of a whole stream that is of no use."""
    return StoreFinding(stream, problem, "", partial(_drop_stream, engine, stream, version))


def is_old(engine: Engine, record: Record) -> bool:
    """Return True if whoever wrote a record has long finished, or given up."""
    return record.at < engine.now() - GRACE


def _drop_record(engine: Engine, stream: str, record: Record) -> bool:
    """Remove a record, unless it was changed since it was found."""
    for _ in range(_TRIES):
        record_page = engine.read(Query(stream, record.kind, ids=[record.id]))[0]
        if not record_page.records or record_page.records[0].body != record.body:
            return False
        with suppress(Conflict):
            drops = [Drop(record.kind, [record.id])]
            engine.commit(stream, drop=drops, ttl=KEEP, expect=record_page.version)
            return True
    return False


def _drop_stream(engine: Engine, stream: str, version: int) -> bool:
    with suppress(Conflict):
        engine.commit(stream, drop=[Drop()], ttl=KEEP, expect=version)
        return True
    return False
