"""Large parts without an item, as a crash or retention leaves them; deleted after the grace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict, CorruptRecord
from threadkeep.sessions import blob_release, blobs
from threadkeep.sessions.blobs import Reference
from threadkeep.types import Page, Query

MIN_GRACE: Final = 3_600.0
"""Seconds that the writer of an item has after writing its parts, at least."""


class OrphanSweeper:
    """Sweeps the blobs of a store; one per engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._swept_at = float("-inf")

    def sweep(self, limit: int) -> int:
        """Delete about `limit` orphans; returns how many.

        It looks at the store only if the last look found none and is long enough ago that there
        may be new ones.
        """
        now, deleted_count = self._engine.now(), 0
        if 0 <= now - self._swept_at < grace(self._engine) / 4:
            return 0
        for blob_stream_name in blobs.all_streams(self._engine):
            deleted_count += delete(self._engine, blob_stream_name)
            if deleted_count >= limit:
                return deleted_count
        self._swept_at = now
        return deleted_count


def grace(engine: Engine) -> float:
    """Seconds after which a part without an item is an orphan."""
    return max(engine.settings.sweep_grace, MIN_GRACE)


def delete(engine: Engine, name: str) -> int:
    """Delete the orphans of a stream of blobs; returns how many."""
    blob_page = engine.read(Query(name, blobs.BLOB))[0]
    body_by_id = {
        reference.record.id: reference.record.body for reference in find(engine, name, blob_page)
    }
    with suppress(Conflict):  # somebody writes: next time
        return blob_release.drop(engine, name, blob_page, body_by_id) if body_by_id else 0
    return 0


def find(engine: Engine, name: str, page: Page) -> Iterator[Reference]:
    """The orphans among the references of a stream of blobs."""
    cutoff_time = engine.now() - grace(engine)
    candidates = [
        reference for reference in blobs.references(page) if reference.record.at <= cutoff_time
    ]
    with suppress(CorruptRecord):  # an item that cannot be opened may refer to anything
        live_ids = {
            reference.record.id
            for reference in blobs.live(engine, blobs.session_stream(engine, name), candidates)
        }
        yield from (reference for reference in candidates if reference.record.id not in live_ids)
