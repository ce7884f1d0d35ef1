"""Deletes the large parts of items that were removed, changed or deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.sessions import blobs
from threadkeep.sessions.blobs import BLOB, PIECE
from threadkeep.types import KEEP, Drop, Page, Query, Record

_TRIES: Final = 64


def references_before(engine: Engine, session: str, changed: Iterable[Record]) -> Page:
    """The references of a session, for `release`; read only if one of the records has blobs."""
    if any(map(blobs.blob_ids, changed)):
        return engine.read(blobs.query(engine, session))[0]
    return Page(0, [])


def release(
    engine: Engine, session: str, page: Page, still_used: Mapping[str, Collection[str]]
) -> None:
    """Delete references that a commit has ended, and the pieces of blobs without any.

    Args:
        engine: of the session.
        session: its id.
        page: the references, read before the commit: what was written since stays.
        still_used: the blobs that each removed or changed item still has, by its record id.
    """
    body_by_id = {
        reference.record.id: reference.record.body
        for reference in blobs.references(page)
        if reference.item in still_used and reference.blob not in still_used[reference.item]
    }
    for _ in range(_TRIES if body_by_id else 0):
        with suppress(Conflict):
            drop(engine, blobs.stream(engine, session), page, body_by_id)
            return
        page = engine.read(blobs.query(engine, session))[0]


def drop(engine: Engine, name: str, page: Page, doomed: Mapping[str, str]) -> int:
    """Drop references that are as they were, and the pieces of blobs without any other.

    Args:
        engine: of the session.
        name: the stream.
        page: its references now.
        doomed: the bodies of references, by their record id.

    Returns:
        The number of references.

    Raises:
        Conflict: the stream changed since the page was read; nothing was dropped.
    """
    session_references = blobs.references(page)
    ended_references = [
        reference
        for reference in session_references
        if doomed.get(reference.record.id) == reference.record.body
    ]
    ended_ids = {reference.record.id for reference in ended_references}
    used_blob_ids = {
        reference.blob for reference in session_references if reference.record.id not in ended_ids
    }
    unused_references = [
        reference for reference in ended_references if reference.blob not in used_blob_ids
    ]
    piece_ids = [
        piece_id
        for reference in unused_references
        for piece_id in blobs.piece_ids(reference.blob, reference.pieces)
    ]
    if ended_references:
        drops = [Drop(PIECE, list(dict.fromkeys(piece_ids)))] if piece_ids else []
        drops.append(Drop(BLOB, sorted(ended_ids)))
        engine.commit(name, drop=drops, ttl=KEEP, expect=page.version)
    return len(ended_references)


def delete(engine: Engine, session: str, user: str | None = None) -> None:
    """Delete the blobs of a deleted session; with a user, only those that name them.

    Those of items that somebody else has written since stay.
    """
    blob_stream_name = blobs.stream(engine, session)
    for _ in range(_TRIES):
        blob_page = engine.read(Query(blob_stream_name, BLOB))[0]
        if not blob_page.version:
            return
        session_references = blobs.references(blob_page)
        used_references = (
            blobs.live(engine, engine.stream("session", session), session_references)
            if session_references
            else []
        )
        with suppress(Conflict):
            if not used_references and user is None:
                engine.commit(blob_stream_name, drop=[Drop()], ttl=KEEP, expect=blob_page.version)
            else:
                used_ids = {reference.record.id for reference in used_references}
                unused_references = [
                    reference
                    for reference in session_references
                    if reference.record.id not in used_ids and user in (None, reference.user)
                ]
                drop(
                    engine,
                    blob_stream_name,
                    blob_page,
                    {reference.record.id: reference.record.body for reference in unused_references},
                )
            return


def delete_of_user(engine: Engine, user: str) -> int:
    """Delete the blobs that name a user and have no item; returns how many references."""
    deleted_count = 0
    for stream in blobs.all_streams(engine):
        for _ in range(_TRIES):
            blob_page = engine.read(Query(stream, BLOB))[0]
            references = [
                reference for reference in blobs.references(blob_page) if reference.user == user
            ]
            live_references = blobs.live(engine, blobs.session_stream(engine, stream), references)
            live_ids = {reference.record.id for reference in live_references}
            body_by_id = {
                reference.record.id: reference.record.body
                for reference in references
                if reference.record.id not in live_ids
            }
            with suppress(Conflict):
                deleted_count += drop(engine, stream, blob_page, body_by_id)
                break
    return deleted_count
