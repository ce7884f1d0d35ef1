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
        piece_count_by_blob = {
            (session, reference.id): reference.pieces for reference in parts.references_of(item)
        }
        text_by_blob = read_texts(engine, piece_count_by_blob).get(session, {})
        blob_copies = [Blob.of(text) for text in text_by_blob.values()]
        store(engine, target, user, [Upload(record.id, blob_copies)])


def records(engine: Engine, session: str) -> Iterator[Record]:
    """All records of a session's blobs that are complete, for exports: pieces first."""
    blob_stream_name = blobs.stream(engine, session)
    blob_page = engine.read(blobs.query(engine, session))[0]
    references = [reference for reference in blobs.references(blob_page) if reference.is_complete]
    piece_count_by_blob = {reference.blob: reference.pieces for reference in references}
    for blob_id, piece_count in piece_count_by_blob.items():
        for piece_id in blobs.piece_ids(blob_id, piece_count):
            yield from engine.read(Query(blob_stream_name, PIECE, ids=[piece_id]))[0].records
    yield from (reference.record for reference in references)


def restore(engine: Engine, session: str, restored: Iterable[Record]) -> None:
    """Write such records; the session's items come next."""
    for record_batch in batches(restored):
        engine.commit(blobs.stream(engine, session), put=record_batch, ttl=None)
