"""What is new in messages that repeat the end of a history, as the framework tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from agent_framework import Message

Identity: TypeAlias = tuple[str, ...]


def new_messages(history: Sequence[Message], messages: Sequence[Message]) -> list[Message]:
    """The messages behind those that the history ends with, or that are the whole history.

    A single user message without an id is a question that is asked again, and no repetition.

    Args:
        history: its end, of more messages than are to be saved, or all of it.
        messages: to be saved.
    """
    past = [identity(message) for message in history]
    identities = [{identity(message), _identity_when_saved(message)} for message in messages]
    is_asked_again = bool(past) and history[-1].role == "user" and past[-1][0] != "id"
    if past:
        starts = range(len(identities) - len(past) + 1)
        start_index = next((i for i in starts if _repeats(identities[i:], past)), None)
        if start_index is not None and not (start_index == 0 and len(past) == 1 and is_asked_again):
            return list(messages[start_index + len(past) :])
    for overlap in range(min(len(past), len(identities)), 0, -1):
        if _repeats(identities, past[-overlap:]) and not (overlap == 1 and is_asked_again):
            return list(messages[overlap:])
    return list(messages)


def _repeats(identities: Sequence[set[Identity]], past: Sequence[Identity]) -> bool:
    """Whether messages begin with those of the past."""
    return all(
        past_identity in candidates
        for past_identity, candidates in zip(past, identities, strict=False)
    )


def identity(message: Message) -> Identity:
    """By what the framework tells messages apart: the id, else role and contents."""
    if message.message_id is not None:
        return ("id", str(message.message_id))
    return _content_identity(message, [content.to_dict() for content in message.contents])


def _identity_when_saved(message: Message) -> Identity:
    """The identity before the framework gave ids to the calls, which it does when it runs them."""
    if message.message_id is not None or all(c.type != "function_call" for c in message.contents):
        return identity(message)
    excluded = {"function_call": {"id"}}
    content_dumps = [c.to_dict(exclude=excluded.get(c.type)) for c in message.contents]
    return _content_identity(message, content_dumps)


def _content_identity(message: Message, content_dumps: list[dict[str, Any]]) -> Identity:
    try:
        return ("content", str(message.role), json.dumps(content_dumps, sort_keys=True))
    except (TypeError, ValueError):
        return ("content", str(message.role), str(message.contents))
