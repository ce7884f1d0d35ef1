"""Which revision of a session an object was read at, so that a stale one is told from a current."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.sessions.session import Session

from google_adk_threadkeep.codec import event_id_of
from threadkeep import Item
from threadkeep.adapters.app_sessions import Snapshot
from threadkeep.adapters.conditional_append import Tail, generation_of
from threadkeep.errors import InputError
from threadkeep.printable import shown

_WINDOW: Final = "window"
_MARKER: Final = "_storage_update_marker"
"""The attribute in which ADK's database service notes its revision, and which copies keep."""


def mark(session: Session, snapshot: Snapshot, *, is_window: bool) -> None:
    """Note the revision in the object, where ADK's own services note theirs.

    Args:
        session: the object.
        snapshot: its newest item is the session's newest.
        is_window: whether the object holds a window only.
    """
    newest_item = snapshot.items[-1] if snapshot.items else None
    marker_parts = [_revision(snapshot.generation, newest_item), *([_WINDOW] if is_window else [])]
    _set_marker(session, " ".join(marker_parts))


def advance(session: Session, tail: Tail, newest: Item) -> None:
    """Note in the object that its session ends with an item that was appended to a tail."""
    marker_flags = [_WINDOW] if holds_window(session) else []
    _set_marker(session, " ".join([_revision_of(tail, newest), *marker_flags]))


def holds_window(session: Session) -> bool:
    """Whether the object holds a window only."""
    return (_marker(session) or "").endswith(f" {_WINDOW}")


def check_current(session: Session, tail: Tail) -> None:
    """Check that nobody wrote to the session since the object was read.

    Raises:
        StaleSessionError: somebody did.
    """
    marker = _marker(session)
    if marker is not None:
        is_current = marker.split(" ")[0] == _revision_of(tail, tail.newest)
    else:  # an object that no service read: by its last event
        last_event_id = session.events[-1].id if session.events else None
        is_current = last_event_id == (None if tail.newest is None else event_id_of(tail.newest))
    if not is_current:
        raise StaleSessionError(
            f"session {shown(session.id)} was changed by others since it was read: get it again, "
            "and append to that object"
        )


def check_whole(session: Session) -> None:
    """Check that an object holds the whole session, which a rewind needs for its state.

    Raises:
        InputError: it holds a window only.
    """
    if holds_window(session):
        raise InputError(
            f"session {shown(session.id)} was read through a window, but a rewind needs all of its "
            "events: use a ThreadkeepSessionService without window="
        )


def _marker(session: Session) -> str | None:
    marker = getattr(session, _MARKER, None)
    return marker if isinstance(marker, str) else None


def _set_marker(session: Session, marker: str) -> None:
    with suppress(
        AttributeError, ValueError
    ):  # a version of ADK without it: the last event decides
        setattr(session, _MARKER, marker)


def _revision_of(tail: Tail, newest: Item | None) -> str:
    return _revision(generation_of(tail.version), newest)


def _revision(generation: int, newest: Item | None) -> str:
    return f"{generation}:{0 if newest is None else newest.seq}"
