"""A turn of an agent as it is stored: the question at once, the rest as it comes, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypedDict

from langchain_core.messages import BaseMessage

from langchain_threadkeep.conversation import to_messages
from langchain_threadkeep.keys import Past, key, keyed, opens_turn, with_id
from langchain_threadkeep.messages import is_notice, message_id, to_item
from langchain_threadkeep.resends import resent
from threadkeep import Item, Session

Resend = Literal["detect", "append"]

_FAR: Final = 1_000


class Mark(TypedDict):
    """What a graph's state keeps of a turn, so that another process can go on with it.

    `opening` is LangChain's id of the question, `turn` its record id, `seq` its place; `since`
    is the place from which only messages of the turn itself belong to the run.
    """

    opening: str | None
    turn: str | None
    seq: int
    since: int


@dataclass
class Turn:
    """One turn in one process.

    Attributes:
        chat: the session.
        mark: where the turn begins.
        stored: the messages of the turn as they were stored, by record id; `None` = not known.
        said: what the model said last, which the state may hold in an odd place.
    """

    chat: Session
    mark: Mark
    stored: dict[str, BaseMessage] | None = None
    said: list[BaseMessage] = field(default_factory=list)

    def own(self, messages: Sequence[BaseMessage]) -> dict[str, BaseMessage]:
        """Those of the turn behind its question, by record id."""
        opening = self.mark["opening"]
        start = next((n for n, m in enumerate(messages) if m.id == opening), -1)
        found = {
            self._key(message): message
            for place, message in enumerate(messages)
            if place > start or is_notice(message)
        }
        there = {message.id for message in messages}
        for message in self.said:  # an id that came before: the state put it in the old place
            if message.id in there:
                found.setdefault(self._key(message), message)
        found.pop("", None)
        return found

    def keep(self, messages: Sequence[BaseMessage]) -> None:
        """Store what of the turn is not stored yet, or was changed since."""
        if self.stored is None:
            self.stored = self._read()
        own = self.own(messages)
        fresh = {id: m for id, m in own.items() if not _equal(self.stored.get(id), m)}
        if fresh:
            self.chat.add(*(with_id(to_item(message), id) for id, message in fresh.items()))
            self.stored.update(fresh)

    def _key(self, message: BaseMessage) -> str:
        if is_notice(message):
            return f"notice@{message.id}" if message.id else ""
        return key(message, self.mark["turn"])

    def _read(self) -> dict[str, BaseMessage]:
        items = self.chat.items(after=self.mark["seq"])
        return {item.id: found[0] for item in items if (found := to_messages([item]))}


def begin(chat: Session, messages: Sequence[BaseMessage], resend: Resend) -> Turn:
    """Store what of a run's input is new, and say where the turn begins."""
    past = Past(chat)
    known, question = _known(past, messages, resend)
    new = messages[known:]
    newest = past.newest_of_user()
    items = chat.add(*keyed(past, new, newest.id if newest else None)) if new else []
    for message, item in zip(reversed(new), reversed(items), strict=True):
        if opens_turn(message):
            return Turn(chat, _mark(message, item, item), _none_yet(item, past))
    question = question or newest
    if question is None:  # nobody asked anything: what came last opens the turn
        last = items[-1] if items else None
        return Turn(chat, _mark(messages[-1] if messages else None, last, last))
    opening = next((m for m in reversed(messages) if opens_turn(m)), None)
    return Turn(chat, _mark(opening, question, items[0] if items else question))


def _known(past: Past, messages: Sequence[BaseMessage], resend: Resend) -> tuple[int, Item | None]:
    """How many messages at the front are stored already, and the item of the last question."""
    for reach in (32, max(_FAR, 4 * len(messages))):
        by_id = _by_id(past.items(reach))
        for place in range(len(messages) - 1, -1, -1):
            if messages[place].id in by_id:
                return _after(past, messages, place, by_id)
        if len(messages) == 1 or len(past.items(reach)) < reach:
            break
    if resend == "append" or not messages:
        return 0, None
    found = resent(messages, past.items())
    question = found.last if found.last is not None and found.last.role == "user" else None
    return found.front, question if found.front == len(messages) else None


def _after(
    past: Past, messages: Sequence[BaseMessage], place: int, by_id: dict[str, Item]
) -> tuple[int, Item | None]:
    message = messages[place]
    newest = past.newest_of_user()
    if place == len(messages) - 1 and opens_turn(message):
        if newest is not None and message.id not in (newest.id, message_id(newest)):
            return place, None  # a question of an earlier turn, asked anew
        return place + 1, newest
    opening = next((m for m in reversed(messages[: place + 1]) if opens_turn(m)), None)
    return place + 1, by_id.get(str(opening.id)) if opening else None


def _by_id(items: Iterable[Item]) -> dict[str, Item]:
    return {id: item for item in items for id in (item.id, message_id(item)) if id}


def _mark(message: BaseMessage | None, question: Item | None, since: Item | None) -> Mark:
    return Mark(
        opening=message.id if message else None,
        turn=question.id if question else None,
        seq=question.seq if question else 0,
        since=since.seq if since else 0,
    )


def _none_yet(item: Item, past: Past) -> dict[str, BaseMessage] | None:
    """Nothing of the turn is stored, if its question is new."""
    return {} if all(item.seq > other.seq for other in past.items()) else None


def _equal(one: Any, other: BaseMessage) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))
