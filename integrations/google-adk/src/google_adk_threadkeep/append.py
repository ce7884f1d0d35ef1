"""Appends an event to a session: items, state, what a rewind hides, and the recorded answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.sessions.session import Session

from google_adk_threadkeep import state as states
from google_adk_threadkeep.codec import dump, event_id_of, to_events, to_items
from google_adk_threadkeep.record_responses import record_answer
from google_adk_threadkeep.revision import advance, check_current, check_whole
from google_adk_threadkeep.state import ScopedState
from threadkeep import Item
from threadkeep import Session as Chat
from threadkeep.adapters.app_sessions import load
from threadkeep.adapters.conditional_append import Addition, Tail, add_if
from threadkeep.adapters.revise import has_redactor
from threadkeep.printable import shown


def append(
    chat: Chat, scoped: ScopedState, session: Session, event: Event, *, record: bool
) -> None:
    """Store an event, unless it is stored already.

    The event and the state of the session are written in one atomic step, up to 1,000 items or
    4 MB, the state of the app and the user behind it.

    Args:
        chat: the stored session.
        scoped: the state of its app and user.
        session: the object that the event goes to, at a revision which advances.
        event: the event.
        record: whether an answer of a model is recorded as a response.

    Raises:
        SessionNotFoundError: the session is not stored.
        StaleSessionError: the object is stale.
        InputError: the event cannot be stored, or is a rewind of a window.
    """
    items = to_items(event)
    deltas = states.split(states.json_state(event.actions.state_delta))
    if event.actions.rewind_before_invocation_id:
        check_whole(session)
    session_tail: Tail | None = None

    def decide(current: Tail) -> Addition | None:
        nonlocal session_tail
        session_tail = current
        if current.info is None:
            raise SessionNotFoundError(f"session {shown(session.id)} does not exist")
        if _is_stored(event, items, current, is_redacted=has_redactor(chat)):
            return None
        check_current(session, current)
        metadata = states.changed(current.info.metadata, deltas.session) if deltas.session else None
        return Addition(_with_free_ids(items, current), metadata)

    stored_items = add_if(chat, [item.id for item in items], decide)
    if session_tail is None:
        return
    if stored_items is None:
        if session_tail.newest is not None and event_id_of(session_tail.newest) == event.id:
            advance(session, session_tail, session_tail.newest)
        return
    advance(session, session_tail, stored_items[-1])
    scoped.change(deltas)
    if invocation := event.actions.rewind_before_invocation_id:
        _hide(chat, session.events, invocation, stored_items[0])
    if record:
        record_answer(chat, session.events, event, stored_items[0])


def _is_stored(event: Event, items: Sequence[Item], tail: Tail, *, is_redacted: bool) -> bool:
    """Return True if this very event is stored: whoever sends it again lost the answer.

    What is redacted is known by its id alone.
    """
    stored_items = [tail.stored[item.id] for item in items if item.id in tail.stored]
    if len(stored_items) < len(items):
        return False
    return is_redacted or list(map(dump, to_events(stored_items))) == [dump(event)]


def _with_free_ids(items: Sequence[Item], tail: Tail) -> list[Item]:
    """The items; with new ids if another event has theirs."""
    if not tail.stored:
        return list(items)
    return [dataclasses.replace(item, id="") for item in items]


def _hide(chat: Chat, events: Sequence[Event], invocation: str, rewind: Item) -> None:
    """Hide from windows, search and other frameworks what a rewind takes back.

    ADK still gets these events: it leaves them out by itself.
    """
    first_event = next((event for event in events if event.invocation_id == invocation), None)
    if first_event is None:
        return
    size, items = 50, load(chat, last=50, before=rewind.seq).items
    while items and not any(event_id_of(item) == first_event.id for item in items):
        size *= 2
        older_items = load(chat, last=size, before=items[0].seq).items
        if not older_items:
            return
        items = [*older_items, *items]
    first_hidden_index = next(
        (n for n, item in enumerate(items) if event_id_of(item) == first_event.id), len(items)
    )
    chat.hide(*(item.id for item in items[first_hidden_index:]))
