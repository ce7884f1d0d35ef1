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
    doomed = {
        reference.record.id: reference.record.body
        for reference in blobs.references(page)
        if reference.item in still_used and reference.blob not in still_used[reference.item]
    }
    for _ in range(_TRIES if doomed else 0):
        with suppress(Conflict):
            drop(engine, blobs.stream(engine, session), page, doomed)
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
    stored = blobs.references(page)
    ended = [r for r in stored if doomed.get(r.record.id) == r.record.body]
    ended_ids = {r.record.id for r in ended}
    in_use = {r.blob for r in stored if r.record.id not in ended_ids}
    unused = [r for r in ended if r.blob not in in_use]
    piece_ids = [id for r in unused for id in blobs.piece_ids(r.blob, r.pieces)]
    if ended:
        drops = [Drop(PIECE, list(dict.fromkeys(piece_ids)))] if piece_ids else []
        drops.append(Drop(BLOB, sorted(ended_ids)))
        engine.commit(name, drop=drops, ttl=KEEP, expect=page.version)
    return len(ended)


def delete(engine: Engine, session: str, user: str | None = None) -> None:
    """Delete the blobs of a deleted session; with a user, only those that name them.

    Those of items that somebody else has written since stay.
    """
    name = blobs.stream(engine, session)
    for _ in range(_TRIES):
        page = engine.read(Query(name, BLOB))[0]
        if not page.version:
            return
        stored = blobs.references(page)
        used = blobs.live(engine, engine.stream("session", session), stored) if stored else []
        with suppress(Conflict):
            if not used and user is None:
                engine.commit(name, drop=[Drop()], ttl=KEEP, expect=page.version)
            else:
                used_ids = {r.record.id for r in used}
                doomed = [
                    r for r in stored if r.record.id not in used_ids and user in (None, r.user)
                ]
                drop(engine, name, page, {r.record.id: r.record.body for r in doomed})
            return


def delete_of_user(engine: Engine, user: str) -> int:
    """Delete the blobs that name a user and have no item; returns how many references."""
    count = 0
    for name in blobs.all_streams(engine):
        for _ in range(_TRIES):
            page = engine.read(Query(name, BLOB))[0]
            theirs = [r for r in blobs.references(page) if r.user == user]
            live = blobs.live(engine, blobs.session_stream(engine, name), theirs)
            live_ids = {r.record.id for r in live}
            doomed = {r.record.id: r.record.body for r in theirs if r.record.id not in live_ids}
            with suppress(Conflict):
                count += drop(engine, name, page, doomed)
                break
    return count
