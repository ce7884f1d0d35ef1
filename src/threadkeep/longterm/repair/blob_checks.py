"""Checks the large parts of sessions: none without an item, and none missing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from threadkeep.core import record_shapes
from threadkeep.core.engine import Engine
from threadkeep.longterm.repair.problem import StoreFinding, unreadable
from threadkeep.printable import counted
from threadkeep.sessions import blob_load, blob_orphans, blobs
from threadkeep.types import Query

_RESTORE = "restore it from a copy; its item is not shown meanwhile"


def check(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in a stream of blobs."""
    blob_page = engine.read(Query(stream, blobs.BLOB))[0]
    for record in blob_page.records:
        yield from unreadable(engine, stream, record, record_shapes.BLOB)
    references = blobs.references(blob_page)
    orphan_blobs = list(blob_orphans.find(engine, stream, blob_page))
    if orphan_blobs:
        fix = partial(_delete, engine, stream)
        yield StoreFinding(stream, "parts without an item", counted(len(orphan_blobs), "part"), fix)
    live_references = blobs.live(engine, blobs.session_stream(engine, stream), references)
    for blob_id, piece_count in {
        reference.blob: reference.pieces for reference in live_references
    }.items():
        if not blob_load.is_whole(engine, stream, blob_id, piece_count):
            yield StoreFinding(stream, "missing part of an item", _RESTORE)


def _delete(engine: Engine, stream: str) -> bool:
    return blob_orphans.delete(engine, stream) > 0
