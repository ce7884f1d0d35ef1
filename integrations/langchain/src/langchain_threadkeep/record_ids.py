"""Under which ids messages are stored: a retry writes nothing twice, and no later turn is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_threadkeep.codec import is_notice, message_id, to_item
from threadkeep import Item, Session
from threadkeep.errors import NotFound

_NEAR = 12
_FAR = 1_000


def opens_turn(message: BaseMessage) -> bool:
    """Whether a person says it, so that what follows answers it."""
    return isinstance(message, HumanMessage) and not is_notice(message)


def key(message: BaseMessage, turn: str | None) -> str:
    """The record id of a message of a turn: from its own id and the turn's; empty = a new one.

    Models, caches and reused objects give one id to the answers of several turns; and a message
    of another kind with that id is another item, which must not take its place.
    """
    if not message.id or message.id == "__fake_id__":
        return ""
    if opens_turn(message):
        return message.id
    if not turn:
        return ""
    kind = getattr(message, "role", message.type)
    return f"{message.id}@{turn}" if kind == "ai" else f"{message.id}@{turn}:{kind}"


def keyed(past: Past, messages: Iterable[BaseMessage], turn: str | None = None) -> list[Item]:
    """The items of new messages, in order, with the ids they are to be stored under.

    Args:
        past: looked at only where a message of a person has an id.
        messages: whole ones; each message of a person opens a turn.
        turn: the record id of the message that opens the turn the first of them belong to.
    """
    items: list[Item] = []
    taken: set[str] = set()
    for message in messages:
        found = key(message, turn)
        if found and opens_turn(message):
            found = past.turn_key(found)
        while found in taken:
            found += "+"  # one object twice in a batch is said twice
        if found:
            taken.add(found)
        if opens_turn(message):
            turn = found or None
        items.append(with_id(to_item(message), found))
    return items


class Past:
    """The newest items of a session, read when they are first asked for, and further if need be."""

    def __init__(self, chat: Session) -> None:
        self._chat = chat
        self._reach = 0
        self._items: list[Item] = []

    def items(self, reach: int = _NEAR) -> list[Item]:
        """The newest items, at least so many if there are; oldest first."""
        if self._reach < reach and not self._complete:
            self._items, self._reach = self._chat.items(last=reach), reach
        return self._items

    def newest_of_user(self) -> Item | None:
        """The newest item that a person said; `None` if there is none far back."""
        return last_of_user(self.items()) or last_of_user(self.items(_FAR))

    def turn_key(self, id: str) -> str:
        """The record id for a person's message: its id, unless an earlier turn has that.

        The newest turn said again is a retry; an earlier one said again is said anew.
        """
        newest = self.newest_of_user()
        if newest is None:
            return f"{id}:human" if self._holds(id) else id
        if id in (newest.id, message_id(newest)):
            return newest.id
        return f"{id}@{newest.id}:human" if self._holds(id) else id

    @property
    def _complete(self) -> bool:
        return self._reach > 0 and len(self._items) < self._reach

    def _holds(self, id: str) -> bool:
        if any(item.id == id for item in self._items):
            return True
        if self._complete:
            return False
        try:
            self._chat.items(after=id, limit=0)
        except NotFound:
            return False
        return True


def with_id(item: Item, id: str) -> Item:
    """An item that was just made, with an id."""
    if id:
        object.__setattr__(item, "id", id)  # nobody else has seen it yet
    return item


def last_of_user(items: Sequence[Item]) -> Item | None:
    """The last of the items that a person said."""
    spoken = (i for i in reversed(items) if i.role == "user" and i.type == "message")
    return next(spoken, None)
