"""Items as entries of a conversation: a message, its id, and its items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from pydantic_ai.conversation_store import ConversationEntry
from pydantic_ai.messages import ModelMessage

from pydantic_ai_threadkeep.codec import MessagePosition, native_message, place_of
from pydantic_ai_threadkeep.foreign import (
    CallNames,
    call_names,
    continues,
    foreign_message,
    is_said,
)
from threadkeep import Item

_FOREIGN: Final = "threadkeep:"


class Entry(NamedTuple):
    """An entry: its id, its items, oldest first, and the conversation that holds them."""

    id: str
    items: tuple[Item, ...]
    conversation: str

    @property
    def seq(self) -> int:
        """The seq of its last item."""
        return self.items[-1].seq

    @property
    def is_native(self) -> bool:
        """Whether Pydantic AI wrote it, and nobody changed it since."""
        return place_of(self.items[0]) is not None


def group(items: Iterable[Item], conversation: str) -> list[Entry]:
    """The entries of a conversation's items, oldest first."""
    item_runs: list[list[Item]] = []
    previous_position: MessagePosition | None = None
    for item in items:
        position = place_of(item)
        if position is None and not is_said(item):
            continue
        if item_runs and _belongs(previous_position, position, item_runs[-1][-1], item):
            item_runs[-1].append(item)
        else:
            item_runs.append([item])
        previous_position = position
    return [Entry(_entry_id(run[-1], conversation), tuple(run), conversation) for run in item_runs]


def chain(entries: Sequence[Entry], limit: int | None = None) -> list[ConversationEntry]:
    """The last `limit` of consecutive entries, as the framework has them."""
    offset = 0 if limit is None else max(0, len(entries) - limit)
    name_by_call_id = call_names(stored_item for entry in entries for stored_item in entry.items)
    parent_id = entries[offset - 1].id if offset else None
    links = list[ConversationEntry]()
    for entry in entries[offset:]:
        if (message := _message(entry, name_by_call_id)) is not None:
            links.append(ConversationEntry(id=entry.id, parent_id=parent_id, message=message))
            parent_id = entry.id
    return links


def foreign_place(entry_id: str) -> tuple[str, str] | None:
    """The conversation and the item of an entry that another framework wrote."""
    if not entry_id.startswith(_FOREIGN):
        return None
    conversation, separator, item_id = entry_id.removeprefix(_FOREIGN).partition("/")
    return (unquote(conversation), unquote(item_id)) if separator else None


def _entry_id(last: Item, conversation: str) -> str:
    position = place_of(last)
    if position is not None:
        return position.entry
    return f"{_FOREIGN}{quote(conversation, safe='')}/{quote(last.id, safe='')}"


def _belongs(
    before: MessagePosition | None, place: MessagePosition | None, previous_item: Item, item: Item
) -> bool:
    if before is None or place is None:
        return before is place is None and continues(previous_item, item)
    return before.entry == place.entry


def _message(entry: Entry, names: CallNames) -> ModelMessage | None:
    message = native_message(entry.items) if entry.is_native else None
    if message is not None:
        return message
    message_items = [item for item in entry.items if is_said(item)]
    return foreign_message(message_items, names) if message_items else None
