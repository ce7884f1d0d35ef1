"""Record model answers as responses: input, output and token usage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from google.adk.events.event import Event
from google.genai.types import FinishReason

from google_adk_threadkeep.codec import to_items, usage_of
from threadkeep import Item, Window
from threadkeep import Session as Chat
from threadkeep.adapters import record_responses


def record_answer(chat: Chat, before: Sequence[Event], event: Event, item: Item) -> None:
    """Store an event as a response if a model wrote it; a failure is logged.

    Args:
        chat: the session.
        before: the events before it; those since the model's last answer are the input.
        event: the event.
        item: its first item, as stored.
    """
    if _is_answer(event):
        record_responses.record(chat, _response(before, event), key=item.id)


def _is_answer(event: Event) -> bool:
    has_words = event.content is not None and event.content.role == "model"
    return event.author != "user" and (event.usage_metadata is not None or has_words)


def _response(events_before: Sequence[Event], event: Event) -> dict[str, Any]:
    reason = event.finish_reason
    is_cut = reason is FinishReason.MAX_TOKENS or bool(event.interrupted)
    status = "failed" if event.error_code else "incomplete" if is_cut else "completed"
    extra = {"finish_reason": None if reason is None else reason.value, "author": event.author}
    return {
        "id": event.interaction_id,
        "model": event.model_version,
        "status": status,
        "input": _input(events_before),
        "output": Window(to_items(event)).to_responses(),
        "usage": usage_of(event),
        "extra": {name: text for name, text in extra.items() if text},
    }


def _input(events_before: Sequence[Event]) -> list[dict[str, Any]]:
    """The entries since the model's last answer, with which results are converted: its calls."""
    new_events = list(takewhile(lambda event: not _is_answer(event), reversed(events_before)))[::-1]
    first_event_index = max(0, len(events_before) - len(new_events) - 1)
    items = [item for event in events_before[first_event_index:] for item in to_items(event)]
    return list(filter(record_responses.is_input, Window(items).to_responses()))
