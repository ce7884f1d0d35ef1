"""Drops what was made of items that an edit changed or removed; called after the edit."""

from __future__ import annotations

from collections.abc import Sequence

from threadkeep.sessions import derived, recall_segments
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types.versions import generation_of


def drop_derived(stream: SessionStream, snapshot: Snapshot, seq: int) -> None:
    """Drop what was made of items that changed, the oldest of which has this seq."""
    drop_summary(stream, snapshot, seq)
    drop_segments(stream, snapshot)


def drop_summary(stream: SessionStream, snapshot: Snapshot, seq: int) -> None:
    """Drop the summary if it covers the oldest of the items that changed."""
    derived.invalidate_summary(
        stream.engine, stream.id, seq=seq, generation=generation_of(snapshot.version)
    )


def drop_segments(stream: SessionStream, snapshot: Snapshot) -> None:
    """Drop what is kept of the session's words."""
    user_id = None if snapshot.info is None else snapshot.info.user
    recall_segments.drop_touched(stream.engine, user_id, stream.id)


def notify_edited(stream: SessionStream, ids: Sequence[str]) -> None:
    """Tell who follows edits, once they are made: what came of these items is looked at again."""
    if ids and stream.engine.on_edit is not None:
        stream.engine.on_edit(stream, ids)
