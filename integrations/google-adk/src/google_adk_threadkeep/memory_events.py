"""Events that are only remembered: those of sessions that another service stores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from google.adk.events.event import Event

from google_adk_threadkeep.codec import to_items
from google_adk_threadkeep.state import KEY
from threadkeep import Item, Memory
from threadkeep.adapters.app_sessions import open_session
from threadkeep.adapters.conditional_append import Addition, Tail, add_if

_BATCH: Final = 200
_DELETED: Final = "deleted"
_REMEMBERED: Final = "remembered"


def add_events(memory: Memory, stored_id: str, user: str, events: Sequence[Event]) -> None:
    """Store events that have content in a session, unless a session service stores it.

    Args:
        memory: the store.
        stored_id: of the session.
        user: who owns it.
        events: those that are stored already, or were deleted, are not added again.

    Raises:
        InputError: an event cannot be stored; the ones before it may be.
    """
    chat = open_session(memory, stored_id, user)
    remaining_events = iter([event for event in events if event.content and event.content.parts])
    while batch := list(islice(remaining_events, _BATCH)):
        item_by_id = {item.id: item for event in batch for item in to_items(event)}
        add_if(chat, list(item_by_id), partial(_addition, item_by_id))


def forget_item(memory: Memory, stored_id: str, user: str, id: str) -> None:
    """Delete an item with what was learned only of it; the events of its session may come again,
    this one is not added then.
    """
    chat = open_session(memory, stored_id, user)

    def decide(tail: Tail) -> Addition | None:
        notes = _held(tail)
        if notes is None or tail.info is None or id in notes.get(_DELETED, ()):
            return None
        deleted_ids = [*notes.get(_DELETED, ()), id]
        return Addition((), {**tail.info.metadata, KEY: {**notes, _DELETED: deleted_ids}})

    add_if(chat, (), decide)
    chat.forget(id)


def _addition(items: dict[str, Item], tail: Tail) -> Addition | None:
    """What of a batch is new: of a session that a session service stores, nothing is."""
    notes = _held(tail)
    if notes is None:
        return None
    new_items = [
        item for id, item in items.items() if id not in {*tail.stored, *notes.get(_DELETED, ())}
    ]
    is_new = tail.info is None
    return Addition(new_items, {KEY: notes} if is_new else None) if new_items else None


def _held(tail: Tail) -> dict[str, Any] | None:
    """What is noted of a session that memory stores; `None` if another service stores it."""
    if tail.info is None:
        return {_REMEMBERED: True}
    notes = tail.info.metadata.get(KEY)
    return notes if isinstance(notes, dict) and notes.get(_REMEMBERED) else None
