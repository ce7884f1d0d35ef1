"""Copies the large parts of items: to another session, to an export and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from threadkeep.core import item_codec, parts
from threadkeep.core.engine import Engine
from threadkeep.core.parts import Blob
from threadkeep.sessions import blobs
from threadkeep.sessions.blob_load import read_texts
from threadkeep.sessions.blob_upload import Upload, store
from threadkeep.sessions.blobs import PIECE
from threadkeep.types import Query, Record
from threadkeep.types.batching import batches


def copy(
    engine: Engine, session: str, target: str, user: str | None, items: Sequence[Record]
) -> None:
    """Copy the blobs of item records to another session, one item at a time."""
    for record in items:
        if parts.MARK not in record.body:
            continue
        item = item_codec.read_item(record)
        counts = {(session, r.id): r.pieces for r in parts.references_of(item)}
        texts = read_texts(engine, counts).get(session, {})
        copies = [Blob.of(text) for text in texts.values()]
        store(engine, target, user, [Upload(record.id, copies)])


def records(engine: Engine, session: str) -> Iterator[Record]:
    """All records of a session's blobs that are complete, for exports: pieces first."""
    stream, page = blobs.stream(engine, session), engine.read(blobs.query(engine, session))[0]
    complete = [r for r in blobs.references(page) if r.is_complete]
    for id, pieces in {r.blob: r.pieces for r in complete}.items():
        for piece in blobs.piece_ids(id, pieces):
            yield from engine.read(Query(stream, PIECE, ids=[piece]))[0].records
    yield from (r.record for r in complete)


def restore(engine: Engine, session: str, restored: Iterable[Record]) -> None:
    """Write such records; the session's items come next."""
    for batch in batches(restored):
        engine.commit(blobs.stream(engine, session), put=batch, ttl=None)
