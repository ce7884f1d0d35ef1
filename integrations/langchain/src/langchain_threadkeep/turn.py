"""A turn of an agent as it is stored: the question at once, the rest as it comes, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from langchain_core.messages import BaseMessage

from langchain_threadkeep.codec import is_notice, message_id, to_item
from langchain_threadkeep.dedupe import resent
from langchain_threadkeep.record_ids import (
    Past,
    key,
    keyed,
    opens_turn,
    with_id,
)
from threadkeep import Item, Session

if TYPE_CHECKING:
    from threadkeep.longterm.context import Context

Resend = Literal["detect", "append"]

_NEAR: Final = 12
_FAR: Final = 1_000
_SAID: Final = ("role", "name", "content", "tool_calls", "tool_call_id", "status", "raw")


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
        stored: what is stored of the turn, by record id; `None` = not known here.
        said: what the model said, by record id; the state may hold it in an odd place, or not.
        notes: what long-term memory tells in it; `None` = not read yet.
    """

    chat: Session
    mark: Mark
    stored: dict[str, Item] | None = None
    said: dict[str, BaseMessage] = field(default_factory=dict)
    notes: Context | None = None

    def own(self, messages: Sequence[BaseMessage]) -> dict[str, BaseMessage]:
        """Those of the turn behind its question, by record id."""
        opening = self.mark["opening"]
        start = next((n for n, m in enumerate(messages) if m.id == opening), -1)
        found = {
            self.key_of(message): message
            for place, message in enumerate(messages)
            if place > start or is_notice(message)
        }
        there = {message.id for message in messages}
        for id, message in self.said.items():  # an id that came before is put in the old place
            if message.id in there:
                found.setdefault(id, message)
        found.pop("", None)
        return found

    def keep(self, messages: Sequence[BaseMessage]) -> None:
        """Store what of the turn is not stored yet, or was changed since."""
        if self.stored is None:
            self.stored = self._read()
        self._put(self.own(messages), self.stored)

    def hear(self, messages: Sequence[BaseMessage]) -> None:
        """Store what the model just said, before anybody else has a say in it."""
        if self.stored is None:
            self.stored = self._read()
        heard = {id: message for message in messages if (id := self.key_of(message))}
        self._put(heard, self.stored)
        self.said.update(heard)

    def settle(self, messages: Sequence[BaseMessage]) -> None:
        """As `keep`; and take back what the model said and another middleware refused."""
        self.keep(messages)
        there = {message.id for message in messages}
        refused = [id for id, message in self.said.items() if message.id not in there]
        if refused:
            self.chat.remove(*refused)
        self.said = {id: m for id, m in self.said.items() if id not in refused}

    def _put(self, messages: Mapping[str, BaseMessage], stored: dict[str, Item]) -> None:
        items = [with_id(to_item(message), id) for id, message in messages.items()]
        fresh = [item for item in items if not _is_same(stored.get(item.id), item)]
        if fresh:
            self.chat.add(*fresh)
            stored.update((item.id, item) for item in fresh)

    def key_of(self, message: BaseMessage) -> str:
        """The record id of a message of the turn; empty = none that holds."""
        if is_notice(message):
            return f"notice@{message.id}" if message.id else ""
        return key(message, self.mark["turn"])

    def _read(self) -> dict[str, Item]:
        return {item.id: item for item in self.chat.items(after=self.mark["seq"])}


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
    known, question = _by_ids(past, messages)
    rest = messages[known:]
    if resend == "append" or not rest:
        return known, question
    found = resent(rest, past.items(_NEAR if len(rest) == 1 else max(_FAR, 4 * len(rest))))
    if found.front == len(rest) and found.last is not None and found.last.role == "user":
        question = found.last
    return known + found.front, question


def _by_ids(past: Past, messages: Sequence[BaseMessage]) -> tuple[int, Item | None]:
    for reach in (_NEAR, max(_FAR, 4 * len(messages))):
        by_id = _by_id(past.items(reach))
        for place in range(len(messages) - 1, -1, -1):
            if messages[place].id in by_id:
                return _after(past, messages, place, by_id)
        if len(messages) == 1 or len(past.items(reach)) < reach:
            break
    return 0, None


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


def _none_yet(item: Item, past: Past) -> dict[str, Item] | None:
    """Nothing of the turn is stored, if its question is new."""
    return {} if all(item.seq > other.seq for other in past.items()) else None


def _is_same(stored: Item | None, item: Item) -> bool:
    # not the messages: who changes one in place changes what was noted of it
    return stored is not None and all(getattr(stored, f) == getattr(item, f) for f in _SAID)
