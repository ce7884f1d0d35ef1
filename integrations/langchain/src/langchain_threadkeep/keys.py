"""Under which ids messages are stored: a retry writes nothing twice, and no later turn is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_threadkeep.messages import is_notice, message_id, to_item
from threadkeep import Item, Session
from threadkeep.errors import NotFound

_NEAR = 32
_FAR = 1_000


def opens_turn(message: BaseMessage) -> bool:
    """Whether a person says it, so that what follows answers it."""
    return isinstance(message, HumanMessage) and not is_notice(message)


def key(message: BaseMessage, turn: str | None) -> str:
    """The record id of a message of a turn: from its own id and the turn's; empty = a new one.

    Models, caches and reused objects give one id to the answers of several turns.
    """
    if not message.id or message.id == "__fake_id__":
        return ""
    if opens_turn(message):
        return message.id
    return f"{message.id}@{turn}" if turn else ""


def keyed(chat: Session, messages: Iterable[BaseMessage], turn: str | None = None) -> list[Item]:
    """The items of new messages, in order, with the ids they are to be stored under.

    Args:
        chat: looked at only where a message of a person has an id.
        messages: whole ones; each message of a person opens a turn.
        turn: the record id of the message that opens the turn the first of them belong to.
    """
    items: list[Item] = []
    taken: set[str] = set()
    for message in messages:
        found = key(message, turn)
        if found and opens_turn(message):
            found = turn_key(chat, found)
        while found in taken:
            found += "+"  # one object twice in a batch is said twice
        taken.add(found) if found else None
        if opens_turn(message):
            turn = found or None
        items.append(with_id(to_item(message), found))
    return items


def with_id(item: Item, id: str) -> Item:
    """An item that was just made, with an id."""
    if id:
        object.__setattr__(item, "id", id)  # nobody else has seen it yet
    return item


def turn_key(chat: Session, id: str) -> str:
    """The record id for a person's message: its id, unless an earlier turn has that.

    The newest turn said again is a retry; an earlier one said again is said anew.
    """
    newest = newest_of_user(chat)
    if newest is None:
        return id
    if id in (newest.id, message_id(newest)):
        return newest.id
    return f"{id}@{newest.id}" if is_stored(chat, id) else id


def newest_of_user(chat: Session) -> Item | None:
    """The newest item that a person said; `None` if there is none far back."""
    for reach in (_NEAR, _FAR):
        items = chat.items(last=reach)
        if found := last_of_user(items):
            return found
        if len(items) < reach:
            break
    return None


def last_of_user(items: Sequence[Item]) -> Item | None:
    """The last of the items that a person said."""
    spoken = (i for i in reversed(items) if i.role == "user" and i.type == "message")
    return next(spoken, None)


def is_stored(chat: Session, id: str) -> bool:
    """Whether the session has an item of that id."""
    try:
        chat.items(after=id, limit=0)
    except NotFound:
        return False
    return True
