"""Set the history of a session: archive, append or replace a stored one that differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llama_index.core.base.llms.types import ChatMessage

from llama_index.memory.threadkeep.codec import to_item
from llama_index.memory.threadkeep.to_messages import to_messages
from threadkeep import Item, Memory, Session
from threadkeep.adapters import limits
from threadkeep.adapters.revise import has_redactor, stored_item
from threadkeep.errors import Conflict
from threadkeep.printable import shown

_ADVICE: Final = "pass on_set='append', 'archive' or 'replace' to choose what happens"


def items(messages: Sequence[ChatMessage]) -> list[Item]:
    """Convert messages to items; errors name a message by its index."""
    return [to_item(message, f"message {index}") for index, message in enumerate(messages)]


def apply(memory: Memory, chat: Session, messages: list[ChatMessage], on_set: str) -> str | None:
    """Set the session's history as `on_set` says; returns a warning if a stored one differed.

    Args:
        memory: the Memory of the archive.
        chat: the session.
        messages: the new history.
        on_set: `archive`, `append` or `replace`.
    """
    new_items = items(messages)
    stored_messages = to_messages(chat.items())
    messages = _as_stored(chat, messages, new_items, stored_messages)
    if stored_messages == messages[: len(stored_messages)]:
        if new_items[len(stored_messages) :]:
            limits.add(chat, *new_items[len(stored_messages) :])
        return None
    if on_set == "append":
        limits.add(chat, *new_items[_overlap(stored_messages, messages) :])
        return f"session {shown(chat.id)} got another chat_history, which was appended; {_ADVICE}"
    if on_set == "replace":
        limits.set_items(chat, *new_items)
        return None
    archive_id = _archive(chat)
    limits.set_items(chat, *new_items)
    return (
        f"session {shown(chat.id)} got another chat_history; what it held is in "
        f"{shown(archive_id)}; {_ADVICE}"
    )


def _as_stored(
    chat: Session,
    messages: list[ChatMessage],
    new_items: Sequence[Item],
    stored_messages: list[ChatMessage],
) -> list[ChatMessage]:
    """The messages as the session would give them back, to be compared with what it holds.

    Those that it holds as they are need no redactor, so that its cost follows what is new.
    """
    if not has_redactor(chat):
        return messages
    redacted_items = [
        item if stored_messages[index : index + 1] == [message] else stored_item(chat, item)
        for index, (item, message) in enumerate(zip(new_items, messages, strict=True))
    ]
    redacted_messages = to_messages(redacted_items)
    return redacted_messages if len(redacted_messages) == len(messages) else messages


def _overlap(stored: list[ChatMessage], messages: list[ChatMessage]) -> int:
    """The number of leading messages that the stored conversation already ends with."""
    longest_overlap = min(len(stored), len(messages))
    return next((n for n in range(longest_overlap, 0, -1) if stored[-n:] == messages[:n]), 0)


def _archive(chat: Session) -> str:
    archive_number = 1
    while True:
        try:
            return chat.fork(f"{chat.id}/archive/{archive_number}").id
        except Conflict:
            archive_number += 1
