"""Large parts of a session's items, in the stream `blob/<session>`: which item refers to which.

Each blob is in pieces, and a `blob` record for each item says that the item refers to it. Pieces
are written before the item, and deleted after it, with the last reference. So an item never lacks
its parts; what a crash leaves is found by `threadkeep.sessions.blob_orphans`. The stream never
expires, so that no clock takes it from a session. The neighbours `blob_upload`, `blob_load`,
`blob_release` and `blob_copy` write, read, delete and copy them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from threadkeep.core import body, item_codec, names, parts, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.pages import stream_pages
from threadkeep.types import Page, Query, Record

NOUN: Final = "blob"
BLOB: Final = "blob"
"""The kind of the records that say which item refers to which blob."""

PIECE: Final = "piece"

_IDS: Final = 500


class Reference(NamedTuple):
    """A `blob` record: an item refers to a blob.

    Attributes:
        blob: the id of the blob.
        item: the record id of the item.
        size: bytes of the blob.
        pieces: how many it has.
        is_complete: whether all of them were written.
        user: the owner of the session, if it has one.
        record: as stored.
    """

    blob: str
    item: str
    size: int
    pieces: int
    is_complete: bool
    user: str | None
    record: Record


def stream(engine: Engine, session: str) -> str:
    """The stream of a session's blobs."""
    return engine.stream(NOUN, session)


def query(engine: Engine, session: str) -> Query:
    """A query for all references of a session; they are few and small."""
    return Query(stream(engine, session), BLOB)


def version_query(engine: Engine, session: str) -> Query:
    """A query that tells whether a session has any blobs, and reads none."""
    return Query(stream(engine, session), BLOB, limit=0)


def references(page: Page) -> list[Reference]:
    """The references of a page."""
    page_references = []
    for record in page.records:
        try:
            reference_fields = body.decode(record, record_shapes.BLOB)
        except UnreadableRecord as error:
            body.skip(record, error)
            continue
        page_references.append(
            Reference(
                reference_fields["blob"],
                reference_fields["item"],
                reference_fields["size"],
                reference_fields["pieces"],
                reference_fields["complete"],
                reference_fields.get("user"),
                record,
            )
        )
    return page_references


def live(engine: Engine, name: str, existing: Sequence[Reference]) -> list[Reference]:
    """Those references whose item is in the stream of the session, and refers to the blob."""
    item_ids = list(dict.fromkeys(reference.item for reference in existing))
    queries = [
        Query(name, "item", ids=item_ids[batch_start : batch_start + _IDS])
        for batch_start in range(0, len(item_ids), _IDS)
    ]
    item_pages = engine.read(*queries) if queries else []
    item_records = [record for item_page in item_pages for record in item_page.records]
    ids_by_item = {record.id: blob_ids(record) for record in item_records}
    unreadable_ids = {
        record.id for record in item_records if not body.is_readable(record, record_shapes.ITEM)
    }
    return [
        reference
        for reference in existing
        if reference.item in unreadable_ids or reference.blob in ids_by_item.get(reference.item, ())
    ]


def blob_ids(record: Record) -> set[str]:
    """The blobs that an item's record refers to."""
    if parts.MARK not in record.body:
        return set()
    return {reference.id for reference in parts.references_of(item_codec.read_item(record))}


def piece_ids(blob: str, count: int) -> list[str]:
    """The record ids of the first pieces of a blob."""
    return [f"{blob}/{piece_number}" for piece_number in range(count)]


def session_stream(engine: Engine, name: str) -> str:
    """The stream of the session that a stream of blobs belongs to."""
    encoded_session = names.parts(name)[1]
    if encoded_session.startswith("="):  # hashed, as the longer name of the session's stream is too
        return names.noun_prefix(engine.settings.namespace, "session") + encoded_session
    return engine.stream("session", names.decoded(encoded_session))


def all_streams(engine: Engine) -> Iterator[str]:
    """The names of the streams of all sessions that have blobs."""
    for stream_names in stream_pages(engine, names.noun_prefix(engine.settings.namespace, NOUN)):
        yield from stream_names
