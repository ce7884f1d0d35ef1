"""The messages that a window leaves: whole tool steps, large results cut, prompts of the system.

A conversation that the framework holds becomes items from its end, as far as the policies read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, SystemPromptPart

from pydantic_ai_threadkeep.codec import to_items
from pydantic_ai_threadkeep.foreign import call_names, foreign_message
from threadkeep import Item, Session, Window
from threadkeep.adapters import windows

_STRIDE: Final = 2**20
"""More than the parts of a message: a position is the number of the message and of the part."""


class MessageItems:
    """The items of messages, at positions that `read_more` finds again.

    Args:
        messages: a conversation.
    """

    def __init__(self, messages: Sequence[ModelMessage]) -> None:
        self.messages = list(messages)

    def fetch(self, before: int, limit: int) -> list[Item]:
        """The newest items before a position, oldest first."""
        fetched_items: list[Item] = []
        message_index = min(len(self.messages) - 1, before // _STRIDE)
        while message_index >= 0 and len(fetched_items) < limit:
            older_items = [item for item in self._items(message_index) if item.seq < before]
            fetched_items = [*older_items, *fetched_items]
            message_index -= 1
        return fetched_items[max(0, len(fetched_items) - limit) :]

    def find(self, position: int) -> Item | None:
        """The item at a position."""
        message_index = position // _STRIDE
        items = self._items(message_index) if 0 <= message_index < len(self.messages) else []
        return next((item for item in items if item.seq == position), None)

    def _items(self, number: int) -> list[Item]:
        message = self.messages[number]
        parts = message.parts if isinstance(message, ModelRequest) else ()
        return [
            dataclasses.replace(item, id=f"{number}.{index}", seq=number * _STRIDE + index + 1)
            for index, item in enumerate(to_items("message", message))
            if not (index < len(parts) and isinstance(parts[index], SystemPromptPart))
        ]


def cut(
    items: MessageItems, policies: windows.Policies, chat: Session
) -> tuple[list[ModelMessage], Window]:
    """The messages that a window leaves, and the window.

    Args:
        items: of the conversation.
        policies: those of the window.
        chat: the session it belongs to.
    """
    window = windows.choose_from(items.fetch, policies, chat)
    window_messages = list(_remaining(items.messages, window))
    if not any(_number(item) == 0 for item in window):
        window_messages = [*_system(items.messages), *window_messages]
    return items.messages if window_messages == items.messages else window_messages, window


def _remaining(messages: Sequence[ModelMessage], window: Window) -> Iterator[ModelMessage]:
    """The messages of a window, in its order."""
    name_by_call_id = call_names(window)
    for message_index, items in _by_message(window):
        if message_index is None:
            message = foreign_message(items, name_by_call_id)
            if message is not None:
                yield message
        elif isinstance(message := messages[message_index], ModelResponse):
            is_changed = items[0].id in window.changed
            yield (foreign_message(items, name_by_call_id) or message) if is_changed else message
        else:
            yield _request(message, {_part(item): item for item in items}, window)


def _by_message(window: Window) -> Iterator[tuple[int | None, list[Item]]]:
    """Runs of items of one message; `None` = an item that a policy added."""
    adjacent_items: list[Item] = []
    run_index: int | None = None
    for item in window:
        message_index = _number(item)
        if adjacent_items and (message_index is None or message_index != run_index):
            yield run_index, adjacent_items
            adjacent_items = []
        adjacent_items.append(item)
        run_index = message_index
    if adjacent_items:
        yield run_index, adjacent_items


def _number(item: Item) -> int | None:
    index_text, _, part_suffix = item.id.partition(".")
    return int(index_text) if index_text.isdecimal() and part_suffix.isdecimal() else None


def _part(item: Item) -> int:
    return int(item.id.partition(".")[2])


def _request(request: ModelRequest, item_by_index: dict[int, Item], window: Window) -> ModelRequest:
    """The request with the parts that are left, and those that are no items of a window."""
    parts: list[Any] = []
    for part_index, part in enumerate(request.parts):
        item = item_by_index.get(part_index)
        if item is not None and item.id in window.changed:
            parts.append(_changed(part, item))
        elif item is not None or _is_bookkeeping(part):
            parts.append(part)
    return request if parts == list(request.parts) else dataclasses.replace(request, parts=parts)


def _changed(part: Any, item: Item) -> Any:
    """The part with what a policy made of its content."""
    new_message: Any = foreign_message([item], {})
    content = None if new_message is None else new_message.parts[0].content
    return part if content is None else dataclasses.replace(part, content=content)


def _is_bookkeeping(part: Any) -> bool:
    """Return True for what is not said by anybody, and goes with the message that it is in."""
    if isinstance(part, SystemPromptPart):
        return True
    (item,) = to_items("part", ModelRequest([part]))
    return item.type == "notice"


def _system(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """The prompt of the system that opens a conversation: no window is without it."""
    first_message = messages[0] if messages else None
    if not isinstance(first_message, ModelRequest):
        return []
    parts = [part for part in first_message.parts if isinstance(part, SystemPromptPart)]
    return [dataclasses.replace(first_message, parts=parts)] if parts else []
