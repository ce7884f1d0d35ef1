"""What becomes of a stored conversation when a caller hands over another: never lost unasked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llama_index.core.base.llms.types import ChatMessage

from llama_index.memory.threadkeep.codec import to_item
from llama_index.memory.threadkeep.to_messages import to_messages
from threadkeep import Item, Memory, Session
from threadkeep.errors import Conflict

_ADVICE: Final = "pass on_set='append', 'archive' or 'replace' to say what is meant"


def items(messages: Sequence[ChatMessage]) -> list[Item]:
    """The items of messages, each named by its place in errors."""
    return [to_item(message, f"message {number}") for number, message in enumerate(messages)]


def apply(memory: Memory, chat: Session, messages: list[ChatMessage], how: str) -> str | None:
    """Have the session hold the messages, as `on_set` says; a warning, if something was put aside.

    Args:
        memory: where an archive goes.
        chat: the session.
        messages: what it is to hold.
        how: `archive`, `append` or `replace`.
    """
    new = items(messages)
    stored = to_messages(chat.items())
    if stored == messages[: len(stored)]:
        if new[len(stored) :]:
            chat.add(*new[len(stored) :])
        return None
    if how == "append":
        chat.add(*new[_overlap(stored, messages) :])
        return f"session {chat.id!r} got another chat_history, which was appended; {_ADVICE}"
    if how == "replace":
        chat.rewrite(*new)
        return None
    name = _archive(chat)
    chat.rewrite(*new)
    return f"session {chat.id!r} got another chat_history; what it held is in {name!r}; {_ADVICE}"


def _overlap(stored: list[ChatMessage], messages: list[ChatMessage]) -> int:
    """How many of the messages the stored conversation ends with already."""
    most = min(len(stored), len(messages))
    return next((n for n in range(most, 0, -1) if stored[-n:] == messages[:n]), 0)


def _archive(chat: Session) -> str:
    number = 1
    while True:
        try:
            return chat.fork(f"{chat.id}/archive/{number}").id
        except Conflict:
            number += 1
