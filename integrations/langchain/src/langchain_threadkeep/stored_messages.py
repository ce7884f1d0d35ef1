"""Which leading messages of a run's input are stored already: by their ids, or as a transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from langchain_core.messages import BaseMessage

from langchain_threadkeep.codec import message_id
from langchain_threadkeep.dedupe import stored_prefix
from langchain_threadkeep.record_ids import RecentHistory, opens_turn
from langchain_threadkeep.state_marks import state_item
from langchain_threadkeep.turn import Resend
from threadkeep import Item

NEAR_REACH: Final = 12
FAR_REACH: Final = 1_000


@dataclass
class StoredMessages:
    """The leading messages of a run's input that are stored.

    Attributes:
        length: how many they are.
        question: the item of the last question among them.
        items: the item of each that could be matched, by index.
    """

    length: int = 0
    question: Item | None = None
    items: dict[int, Item] = field(default_factory=dict)


def find_stored(
    recent: RecentHistory, messages: Sequence[BaseMessage], resend: Resend, *, continues: bool
) -> StoredMessages:
    """The leading messages that are stored, by their ids, or as a transcript that is resent.

    Args:
        continues: whether known messages of the same state precede them.
    """
    stored_messages = _match_ids(recent, messages)
    unmatched_messages = messages[stored_messages.length :]
    if resend == "append" or not unmatched_messages:
        return stored_messages
    reach = (
        NEAR_REACH if len(unmatched_messages) == 1 else max(FAR_REACH, 4 * len(unmatched_messages))
    )
    continues = continues or stored_messages.length > 0
    prefix = stored_prefix(
        unmatched_messages, recent.items(reach), recent.stored_text, continues=continues
    )
    last_item = prefix.last_item
    if (
        prefix.length == len(unmatched_messages)
        and last_item is not None
        and last_item.role == "user"
    ):
        stored_messages.question = last_item
    stored_messages.items |= {
        stored_messages.length + index: item for index, item in prefix.items.items()
    }
    stored_messages.length += prefix.length
    return stored_messages


def match(item_by_id: Mapping[str, Item], message: BaseMessage) -> Item | None:
    """The item of a message; one of another kind with the same id is not it."""
    item = item_by_id.get(message.id or "")
    if item is None:
        return None
    neutral_item = state_item(message)
    return item if (item.role, item.type) == (neutral_item.role, neutral_item.type) else None


def _match_ids(recent: RecentHistory, messages: Sequence[BaseMessage]) -> StoredMessages:
    for reach in (NEAR_REACH, max(FAR_REACH, 4 * len(messages))):
        item_by_id = recent.by_id(reach)
        for index in range(len(messages) - 1, -1, -1):
            if match(item_by_id, messages[index]) is not None:
                return _after_match(recent, messages, index, item_by_id)
        if len(messages) <= 1 or len(item_by_id) < reach:
            break
    return StoredMessages()


def _after_match(
    recent: RecentHistory, messages: Sequence[BaseMessage], index: int, item_by_id: dict[str, Item]
) -> StoredMessages:
    message = messages[index]
    newest_question = recent.newest_of_user()
    matches = (
        (message_index, match(item_by_id, message))
        for message_index, message in enumerate(messages[: index + 1])
    )
    item_by_index = {message_index: item for message_index, item in matches if item is not None}
    if index == len(messages) - 1 and opens_turn(message):
        if newest_question is not None and message.id not in (
            newest_question.id,
            message_id(newest_question),
        ):
            item_by_index.pop(index)
            return StoredMessages(index, None, item_by_index)  # said again, it is a new question
        return StoredMessages(index + 1, newest_question, item_by_index)
    opening_message = next(
        (message for message in reversed(messages[: index + 1]) if opens_turn(message)), None
    )
    question = item_by_id.get(str(opening_message.id)) if opening_message else None
    return StoredMessages(index + 1, question, item_by_index)
