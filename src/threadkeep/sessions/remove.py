"""Deletes a session: its stream first, then derived data, then its entry in the user's list.

So every existing session is listed. An interrupted deletion leaves an entry without a session,
which listings skip and a repeated call removes. The session need not be readable.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from threadkeep.core import session_codec
from threadkeep.core.response_codec import ENTRY
from threadkeep.errors import Conflict, CorruptRecord
from threadkeep.printable import shown
from threadkeep.sessions import (
    blob_release,
    blobs,
    checkpoints,
    derived,
    recall_segments,
    response_index,
    user_index,
)
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import KEEP, Drop, Page, Query


class DeletionTarget(NamedTuple):
    """A session to delete.

    Attributes:
        version: of the stream (0 = none).
        user: in whose list it is.
        is_ended: whether the session no longer exists.
        responses: the ids of its responses, as far as they can be read.
        has_blobs: whether large parts may be stored beside it.
    """

    version: int
    user: str | None
    is_ended: bool
    responses: list[str]
    has_blobs: bool


def delete(stream: SessionStream, *, version: int | None = None) -> None:
    """Delete the session, and remove it from its owner's list unless it was created again.

    Args:
        stream: of the session.
        version: the version it must have; `None` = any.

    Raises:
        Conflict: it changed meanwhile.
        CorruptRecord: it cannot be read, so its owner is unknown.
        NotOwner: it belongs to another user.
    """
    target = find_target(stream)
    if version is not None and target.version != version:
        raise Conflict(f"session {shown(stream.id)} was changed", current=target.version)
    if target.user is None:
        delete_target(stream, target)
        return
    entry = user_index.entry(stream.engine, target.user, stream.id)
    if entry.seq and not target.version and not stream.is_current(0):
        # the entry just read belongs to it
        raise Conflict(f"session {shown(stream.id)} begins anew")
    delete_target(stream, target)
    if entry.seq:
        user_index.remove_entry(stream.engine, target.user, stream.id, entry)
        _relist_if_recreated(stream, target.user)


def find_target(stream: SessionStream) -> DeletionTarget:
    """Read what has to be deleted, and check the owner.

    Raises:
        CorruptRecord: it cannot be read, so its owner is unknown.
        NotOwner: it belongs to another user.
    """
    entries_query = Query(stream.stream_name, ENTRY)
    try:
        snapshot = stream.read(entries_query, blobs.version_query(stream.engine, stream.id))
    except CorruptRecord:
        owner_id = _owner_in_record(stream)
        is_owner = owner_id == stream.user if owner_id is not None else _is_listed(stream)
        if stream.user is not None and not is_owner:
            raise
        return _unreadable_target(stream, owner_id or stream.user)
    user_id = stream.user if snapshot.info is None else snapshot.info.user
    return DeletionTarget(
        snapshot.version,
        user_id,
        snapshot.info is None,
        response_index.ids_of_entries(snapshot.pages[0]),
        snapshot.info is None or snapshot.pages[1].version > 0,
    )


def delete_target(stream: SessionStream, remains: DeletionTarget) -> None:
    """Drop the stream at its version, and the derived data.

    Raises:
        Conflict: it changed since.
    """
    engine = stream.engine
    pointer_version_by_id = response_index.pointers_to(engine, stream.id, remains.responses)
    derived.delete_derived(engine, stream.id, user=stream.user, is_ended=remains.is_ended)
    checkpoint_count = 0
    if not remains.is_ended or stream.user is None:  # before the session, which names the owner
        checkpoint_count = checkpoints.delete(engine, stream.id)
    if remains.version:
        engine.commit(stream.stream_name, drop=[Drop()], ttl=KEEP, expect=remains.version)
        if not remains.is_ended:  # a summary written in between
            derived.delete_derived(engine, stream.id, user=stream.user, is_ended=False)
    if checkpoint_count:  # what a run wrote in between, which refers to messages that are gone now
        checkpoints.delete(engine, stream.id)
    recall_segments.drop_touched(engine, remains.user, stream.id)
    if remains.has_blobs:  # after the items that refer to them
        blob_release.delete(engine, stream.id, stream.user if remains.is_ended else None)
    response_index.delete_pointers(engine, stream.id, pointer_version_by_id)


def _unreadable_target(stream: SessionStream, user: str | None) -> DeletionTarget:
    """The target for a session whose record cannot be read."""
    try:
        version_page, response_page = stream.engine.read(
            stream.version_query, Query(stream.stream_name, ENTRY)
        )
    except CorruptRecord:  # from a store that returns no record it cannot decrypt
        version_page, response_page = stream.engine.read(stream.version_query)[0], Page(0, [])
    return DeletionTarget(
        version_page.version,
        user,
        is_ended=False,
        responses=response_index.ids_of_entries(response_page),
        has_blobs=True,
    )


def _owner_in_record(stream: SessionStream) -> str | None:
    """The owner in a `session` record, even if the rest of it cannot be read."""
    with suppress(CorruptRecord):
        session_page = stream.engine.read(Query(stream.stream_name, "session", ids=["session"]))[0]
        return session_codec.owner(session_page.records[0]) if session_page.records else None
    return None


def _is_listed(stream: SessionStream) -> bool:
    return (
        stream.user is not None and user_index.entry(stream.engine, stream.user, stream.id).seq > 0
    )


def _relist_if_recreated(stream: SessionStream, user: str) -> None:
    """List the session again if it was created again while its entry was removed."""
    if _owner_in_record(stream) == user:
        user_index.ensure_listed(stream.engine, user, stream.id)
