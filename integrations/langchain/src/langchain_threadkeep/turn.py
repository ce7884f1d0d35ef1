"""Store an agent's turn: the question at once, messages as they arrive, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from langchain_core.messages import BaseMessage

from langchain_threadkeep.codec import is_notice, message_id, to_item
from langchain_threadkeep.dedupe import stored_prefix
from langchain_threadkeep.record_ids import (
    RecentHistory,
    items_with_ids,
    key,
    opens_turn,
    with_id,
)
from threadkeep import Item, Session

if TYPE_CHECKING:
    from threadkeep.longterm.context import Context

Resend = Literal["detect", "append"]

_NEAR_REACH: Final = 12
_FAR_REACH: Final = 1_000
_COMPARED_FIELDS: Final = ("role", "name", "content", "tool_calls", "tool_call_id", "status", "raw")


class TurnPosition(TypedDict):
    """The position of a turn, saved in the graph's state so that another process can resume it.

    `opening` is LangChain's id of the question, `turn` its record id, `seq` its seq; from the seq
    `since` on, only messages of the turn itself belong to the run.
    """

    opening: str | None
    turn: str | None
    seq: int
    since: int


@dataclass
class AgentTurn:
    """A turn of an agent in one process.

    Attributes:
        chat: the session.
        position: the beginning of the turn.
        stored: the stored items of the turn, by record id; `None` = not read yet.
        answers: the model's answers, by record id; the state may reorder or lack them.
        context: the long-term memory of the turn; `None` = not read yet.
    """

    chat: Session
    position: TurnPosition
    stored: dict[str, Item] | None = None
    answers: dict[str, BaseMessage] = field(default_factory=dict)
    context: Context | None = None

    def turn_messages(self, messages: Sequence[BaseMessage]) -> dict[str, BaseMessage]:
        """Return the messages of the turn after its question, by record id."""
        opening = self.position["opening"]
        start = next((n for n, m in enumerate(messages) if m.id == opening), -1)
        turn_messages = {
            self.key_of(message): message
            for index, message in enumerate(messages)
            if index > start or is_notice(message)
        }
        present_ids = {message.id for message in messages}
        for (
            id,
            message,
        ) in self.answers.items():  # a repeated id replaces the earlier message in the state
            if message.id in present_ids:
                turn_messages.setdefault(id, message)
        turn_messages.pop("", None)
        return turn_messages

    def store_new(self, messages: Sequence[BaseMessage]) -> None:
        """Store new and changed messages of the turn."""
        if self.stored is None:
            self.stored = self._read()
        self._store(self.turn_messages(messages), self.stored)

    def store_answers(self, messages: Sequence[BaseMessage]) -> None:
        """Store the model's answers before other middleware can change them."""
        if self.stored is None:
            self.stored = self._read()
        answers = {id: message for message in messages if (id := self.key_of(message))}
        self._store(answers, self.stored)
        self.answers.update(answers)

    def reconcile(self, messages: Sequence[BaseMessage]) -> None:
        """Store new messages, and remove answers that other middleware refused."""
        self.store_new(messages)
        present_ids = {message.id for message in messages}
        refused = [id for id, message in self.answers.items() if message.id not in present_ids]
        if refused:
            self.chat.remove(*refused)
        self.answers = {id: m for id, m in self.answers.items() if id not in refused}

    def _store(self, messages: Mapping[str, BaseMessage], stored: dict[str, Item]) -> None:
        items = [with_id(to_item(message), id) for id, message in messages.items()]
        changed = [item for item in items if not _is_same(stored.get(item.id), item)]
        if changed:
            self.chat.add(*changed)
            stored.update((item.id, item) for item in changed)

    def key_of(self, message: BaseMessage) -> str:
        """Return the record id of a message of the turn; empty = none."""
        if is_notice(message):
            return f"notice@{message.id}" if message.id else ""
        return key(message, self.position["turn"])

    def _read(self) -> dict[str, Item]:
        return {item.id: item for item in self.chat.items(after=self.position["seq"])}


def begin_turn(chat: Session, messages: Sequence[BaseMessage], resend: Resend) -> AgentTurn:
    """Store the new messages of a run's input, and return its turn."""
    recent = RecentHistory(chat)
    stored_count, question = _stored_count(recent, messages, resend)
    new = messages[stored_count:]
    newest = recent.newest_of_user()
    items = chat.add(*items_with_ids(recent, new, newest.id if newest else None)) if new else []
    for message, item in zip(reversed(new), reversed(items), strict=True):
        if opens_turn(message):
            return AgentTurn(chat, _position(message, item, item), _stored_items(item, recent))
    question = question or newest
    if question is None:  # no question at all: the last message opens the turn
        last = items[-1] if items else None
        return AgentTurn(chat, _position(messages[-1] if messages else None, last, last))
    opening = next((m for m in reversed(messages) if opens_turn(m)), None)
    return AgentTurn(chat, _position(opening, question, items[0] if items else question))


def _stored_count(
    recent: RecentHistory, messages: Sequence[BaseMessage], resend: Resend
) -> tuple[int, Item | None]:
    """The number of leading messages that are stored, and the item of the last question."""
    stored_count, question = _match_ids(recent, messages)
    remaining = messages[stored_count:]
    if resend == "append" or not remaining:
        return stored_count, question
    prefix = stored_prefix(
        remaining,
        recent.items(_NEAR_REACH if len(remaining) == 1 else max(_FAR_REACH, 4 * len(remaining))),
    )
    if (
        prefix.length == len(remaining)
        and prefix.last_item is not None
        and prefix.last_item.role == "user"
    ):
        question = prefix.last_item
    return stored_count + prefix.length, question


def _match_ids(recent: RecentHistory, messages: Sequence[BaseMessage]) -> tuple[int, Item | None]:
    for reach in (_NEAR_REACH, max(_FAR_REACH, 4 * len(messages))):
        by_id = _by_id(recent.items(reach))
        for index in range(len(messages) - 1, -1, -1):
            if messages[index].id in by_id:
                return _after_match(recent, messages, index, by_id)
        if len(messages) == 1 or len(recent.items(reach)) < reach:
            break
    return 0, None


def _after_match(
    recent: RecentHistory, messages: Sequence[BaseMessage], index: int, by_id: dict[str, Item]
) -> tuple[int, Item | None]:
    message = messages[index]
    newest = recent.newest_of_user()
    if index == len(messages) - 1 and opens_turn(message):
        if newest is not None and message.id not in (newest.id, message_id(newest)):
            return index, None  # a repeated question of an earlier turn is a new one
        return index + 1, newest
    opening = next((m for m in reversed(messages[: index + 1]) if opens_turn(m)), None)
    return index + 1, by_id.get(str(opening.id)) if opening else None


def _by_id(items: Iterable[Item]) -> dict[str, Item]:
    return {id: item for item in items for id in (item.id, message_id(item)) if id}


def _position(
    message: BaseMessage | None, question: Item | None, since: Item | None
) -> TurnPosition:
    return TurnPosition(
        opening=message.id if message else None,
        turn=question.id if question else None,
        seq=question.seq if question else 0,
        since=since.seq if since else 0,
    )


def _stored_items(item: Item, recent: RecentHistory) -> dict[str, Item] | None:
    """The stored items of the turn: none if its question is new, else `None` (not read)."""
    return {} if all(item.seq > other.seq for other in recent.items()) else None


def _is_same(stored: Item | None, item: Item) -> bool:
    # compares items, as a message changed in place would equal itself
    return stored is not None and all(
        getattr(stored, f) == getattr(item, f) for f in _COMPARED_FIELDS
    )
