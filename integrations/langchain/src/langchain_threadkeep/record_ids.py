"""Derive record ids for messages, so that retries store nothing twice and no turn is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_threadkeep.codec import is_notice, message_id, to_item
from threadkeep import Item, Session
from threadkeep.adapters.revise import stored_text
from threadkeep.errors import NotFound

_NEAR_REACH = 12
_FAR_REACH = 1_000


def opens_turn(message: BaseMessage) -> bool:
    """Return True if a user wrote the message, so that the following ones answer it."""
    return isinstance(message, HumanMessage) and not is_notice(message)


def key(message: BaseMessage, turn: str | None) -> str:
    """Return the record id of a message, derived from its id and its turn's; empty = a new one.

    Models, caches and reused objects repeat ids across turns, and a message of another kind with
    the same id is a different item, which must not replace the first.
    """
    if not message.id or message.id == "__fake_id__":
        return ""
    if opens_turn(message):
        return message.id
    if not turn:
        return ""
    message_kind = getattr(message, "role", message.type)
    return f"{message.id}@{turn}" if message_kind == "ai" else f"{message.id}@{turn}:{message_kind}"


def items_with_ids(
    recent: RecentHistory,
    messages: Iterable[BaseMessage],
    turn: str | None = None,
    convert: Callable[[BaseMessage], Item] = to_item,
) -> list[Item]:
    """Convert new messages to items with record ids, in order.

    Args:
        recent: read only if a user message has an id.
        messages: no chunks; each user message opens a turn.
        turn: the record id of the user message that opened the turn of the first messages.
        convert: makes an item of a message.
    """
    items: list[Item] = []
    used_ids: set[str] = set()
    for message in messages:
        record_id = key(message, turn)
        if record_id and opens_turn(message):
            record_id = recent.turn_key(record_id)
        while record_id in used_ids:
            record_id += "+"  # the same object twice in a batch means two messages
        if record_id:
            used_ids.add(record_id)
        if opens_turn(message):
            turn = record_id or None
        items.append(with_id(convert(message), record_id))
    return items


class RecentHistory:
    """The newest items of a session, read lazily and as far back as needed."""

    def __init__(self, chat: Session) -> None:
        self._chat = chat
        self.reset()

    def reset(self) -> None:
        """Forget what was read, because the session was changed."""
        self._reach = 0
        self._all: list[Item] = []
        self._items: list[Item] = []

    def items(self, reach: int = _NEAR_REACH) -> list[Item]:
        """Return the shown ones of at least the newest `reach` items, oldest first."""
        if self._reach < reach and not self._complete:
            self._all, self._reach = self._chat.items(last=reach, hidden=True), reach
            self._items = [item for item in self._all if not item.hidden]
        return self._items

    def newer_than(self, seq: int) -> list[Item]:
        """Return all items behind a seq, hidden ones too, oldest first."""
        self.items()
        if not self._complete and self._all and self._all[0].seq > seq:
            return self._chat.items(after=seq, hidden=True)
        return [item for item in self._all if item.seq > seq]

    def by_id(self, reach: int = _NEAR_REACH) -> dict[str, Item]:
        """Return the items within reach, hidden ones too, by record id and by message id."""
        self.items(reach)
        return {id: item for item in self._all for id in (item.id, message_id(item)) if id}

    def stored_text(self, text: str) -> str:
        """Return a text as the session has it, which may be redacted."""
        return stored_text(self._chat, text)

    def newest_of_user(self) -> Item | None:
        """Return the newest user message within reach, else `None`."""
        return last_of_user(self.items()) or last_of_user(self.items(_FAR_REACH))

    def turn_key(self, id: str) -> str:
        """Return the record id for a user message: its id, unless an earlier turn has that id.

        Repeating the newest question is a retry; repeating an earlier one is a new question.
        """
        newest_question = self.newest_of_user()
        if newest_question is None:
            return f"{id}:human" if self._contains(id) else id
        if id in (newest_question.id, message_id(newest_question)):
            return newest_question.id
        return f"{id}@{newest_question.id}:human" if self._contains(id) else id

    @property
    def _complete(self) -> bool:
        return self._reach > 0 and len(self._all) < self._reach

    def _contains(self, id: str) -> bool:
        if any(item.id == id for item in self._all):
            return True
        if self._complete:
            return False
        try:
            self._chat.items(after=id, limit=0)
        except NotFound:
            return False
        return True


def with_id(item: Item, id: str) -> Item:
    """Set the id of an item that was just created."""
    if id:
        object.__setattr__(item, "id", id)  # not shared yet
    return item


def last_of_user(items: Sequence[Item]) -> Item | None:
    """Return the last user message among the items, else `None`."""
    user_items = (
        item for item in reversed(items) if item.role == "user" and item.type == "message"
    )
    return next(user_items, None)
