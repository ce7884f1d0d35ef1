"""What is new in messages that repeat the end of a history, as the framework tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

from agent_framework import Message

Identity: TypeAlias = tuple[str, ...]


def new_messages(history: Sequence[Message], messages: Sequence[Message]) -> list[Message]:
    """The messages behind those that the history ends with, or that are the whole history.

    A single user message without an id is a question that is asked again, and no repetition.

    Args:
        history: its end, of more messages than are to be saved, or all of it.
        messages: to be saved.
    """
    past, identities = list(map(_identity, history)), list(map(_identity, messages))
    is_asked_again = bool(past) and history[-1].role == "user" and past[-1][0] != "id"
    if past:
        starts = range(len(identities) - len(past) + 1)
        start_index = next((i for i in starts if identities[i : i + len(past)] == past), None)
        if start_index is not None and not (start_index == 0 and len(past) == 1 and is_asked_again):
            return list(messages[start_index + len(past) :])
    for overlap in range(min(len(past), len(identities)), 0, -1):
        if past[-overlap:] == identities[:overlap] and not (overlap == 1 and is_asked_again):
            return list(messages[overlap:])
    return list(messages)


def _identity(message: Message) -> Identity:
    if message.message_id is not None:
        return ("id", str(message.message_id))
    content_dumps = [content.to_dict() for content in message.contents]
    try:
        return ("content", str(message.role), json.dumps(content_dumps, sort_keys=True))
    except (TypeError, ValueError):
        return ("content", str(message.role), str(message.contents))
