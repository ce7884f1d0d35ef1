"""Appends messages to a session, without those that it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from agent_framework import Message

from agent_framework_threadkeep.codec import to_items, to_messages
from agent_framework_threadkeep.replays import identity, new_messages
from threadkeep import Item, Session
from threadkeep.adapters.app_sessions import load
from threadkeep.adapters.conditional_append import Addition, Tail, add_if
from threadkeep.adapters.revise import has_redactor, stored_item
from threadkeep.errors import BackendError
from threadkeep.printable import shown

_TRIES: Final = 64


def save(chat: Session, messages: Sequence[Message]) -> None:
    """Append the messages in one atomic step; of a transcript, what is new in it.

    More than 1,000 items or 4 MB are written in several steps. What it costs follows the messages,
    not the session.

    Raises:
        BackendError: others wrote to the session at each of 64 tries.
        InputError: a message is not JSON; nothing was written.
        NotOwner: the session belongs to another user; nothing was written.
    """
    item_lists = [to_items(message, number) for number, message in enumerate(messages)]
    for _ in range(_TRIES):
        stored_items = load(chat, last=sum(map(len, item_lists)) + 1).items
        history = to_messages(stored_items)
        newer_messages = new_messages(history, _as_stored(chat, messages, item_lists, history))
        stored_count = len(messages) - len(newer_messages)
        new_items = [item for item_list in item_lists[stored_count:] for item in item_list]
        newest_seq = stored_items[-1].seq if stored_items else 0
        if not new_items or add_if(chat, (), partial(_addition, newest_seq, new_items)) is not None:
            return
    raise BackendError(
        f"session {shown(chat.id)} was changed by others at each of {_TRIES} tries; try again"
    )


def _as_stored(
    chat: Session,
    messages: Sequence[Message],
    item_lists: Sequence[Sequence[Item]],
    history: Sequence[Message],
) -> Sequence[Message]:
    """The messages as the session would give them back, to be compared with what it holds.

    Those that it holds as they are need no redactor, so that its cost follows what is new.
    """
    if not has_redactor(chat):
        return messages
    stored_identities = set(map(identity, history))
    items = [
        item if identity(message) in stored_identities else stored_item(chat, item)
        for message, item_list in zip(messages, item_lists, strict=True)
        for item in item_list
    ]
    redacted_messages = to_messages(items)
    return redacted_messages if len(redacted_messages) == len(messages) else messages


def _addition(newest_seq: int, items: Sequence[Item], tail: Tail) -> Addition | None:
    """The items, if the session still ends with the newest one that was seen."""
    is_current = newest_seq == (0 if tail.newest is None else tail.newest.seq)
    return Addition(items) if is_current else None
