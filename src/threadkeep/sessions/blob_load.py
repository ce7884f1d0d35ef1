"""Reads the large parts of items back into them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from threadkeep.core import body, parts
from threadkeep.core.engine import Engine
from threadkeep.sessions import blobs
from threadkeep.sessions.blobs import PIECE
from threadkeep.types import Item, Query, Record

_UNREADABLE: Final = "a large part of it is missing"


def load(engine: Engine, session: str, items: Sequence[Item]) -> list[Item]:
    """The items of a session with their large parts, in one read of the pieces they need.

    An item of which a part is missing is unreadable, as by `item_codec.read_item`.
    """
    return load_all(engine, [(session, item) for item in items])


def load_all(engine: Engine, items: Sequence[tuple[str, Item]]) -> list[Item]:
    """As `load`, for items of several sessions."""
    piece_count_by_blob = {
        (session, reference.id): reference.pieces
        for session, item in items
        for reference in parts.references_of(item)
    }
    if not piece_count_by_blob:
        return [item for _, item in items]
    texts_by_session = read_texts(engine, piece_count_by_blob)
    return [_filled(item, texts_by_session.get(session, {})) for session, item in items]


def load_heads(engine: Engine, session: str, item: Item, characters: int) -> Item:
    """The item with the beginning of its large texts: at least so many characters of each."""
    piece_count_by_blob = {
        (session, reference.id): min(
            reference.pieces, 1 + characters * reference.pieces // max(reference.length, 1)
        )
        for reference in parts.references_of(item)
        if parts.is_text(reference)
    }
    return (
        parts.with_heads(item, read_texts(engine, piece_count_by_blob).get(session, {}))
        if piece_count_by_blob
        else item
    )


def is_whole(engine: Engine, name: str, blob: str, pieces: int) -> bool:
    """Return True if all pieces of a blob can be read; reads them one by one."""
    return all(
        any(
            _piece_text(record) is not None
            for record in engine.read(Query(name, PIECE, ids=[piece_id]))[0].records
        )
        for piece_id in blobs.piece_ids(blob, pieces)
    )


def read_texts(engine: Engine, counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, str]]:
    """The texts of blobs by session and id, of their first pieces; those not whole are missing."""
    queries = [
        Query(blobs.stream(engine, session), PIECE, ids=blobs.piece_ids(blob_id, piece_count))
        for (session, blob_id), piece_count in counts.items()
    ]
    texts_by_session: dict[str, dict[str, str]] = {}
    pages = engine.read(*queries) if queries else []
    for ((session_id, blob_id), piece_count), piece_page in zip(counts.items(), pages, strict=True):
        text_by_id = {record.id: _piece_text(record) for record in piece_page.records}
        texts = [text_by_id.get(piece_id) for piece_id in blobs.piece_ids(blob_id, piece_count)]
        if None not in texts:
            blob_text = "".join(text or "" for text in texts)
            texts_by_session.setdefault(session_id, {})[blob_id] = blob_text
    return texts_by_session


def _piece_text(record: Record) -> str | None:
    try:
        piece_text = json.loads(record.body)["text"]
    except (ValueError, LookupError, TypeError):
        return None
    return piece_text if isinstance(piece_text, str) else None


def _filled(item: Item, texts: Mapping[str, str]) -> Item:
    if not parts.references_of(item):
        return item
    try:
        return parts.filled(item, texts)
    except (LookupError, ValueError, TypeError):
        body.report("item", item.id, _UNREADABLE)
        return Item(
            id=item.id,
            seq=item.seq,
            type="opaque",
            role="unknown",
            metadata={"unreadable": _UNREADABLE},
            created_at=item.created_at,
        )
