"""Many items as the messages of one conversation, in an order that every provider takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage, convert_to_messages

from langchain_threadkeep.codec import is_own, to_message
from threadkeep import Item, Window

_PLAIN: Final = frozenset({"message", "tool_result", "notice"})
_MODEL: Final = frozenset({"assistant", "tool"})


def to_messages(
    items: Sequence[Item], *, ids: bool = False, known: Mapping[str, BaseMessage] | None = None
) -> list[BaseMessage]:
    """The messages of items, one for each that LangChain can say; unreadable records make none.

    What another framework stored in pieces (a reasoning item, a call, its result) is put together
    as LangChain has it.

    Args:
        items: oldest first.
        ids: give the record's id to messages that have none of their own.
        known: messages to take for items, by the record's id.
    """
    messages: list[BaseMessage] = []
    seen = [item for item in items if item.type != "opaque"]
    pieces = _pieces(seen)
    if not pieces:
        return [_said(item, ids, known or {}) for item in seen]
    for in_pieces, run in groupby(seen, key=lambda item: id(item) in pieces):
        if in_pieces:
            messages += _translated(list(run), ids=ids)
        else:
            messages += [_said(item, ids, known or {}) for item in run]
    return messages


def in_reply_order(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The same messages, each tool result right behind the message that asked for it.

    Runs that share a thread write by turns; a provider wants each call answered at once.
    """
    if _in_order(messages):
        return list(messages)
    answers: dict[int, list[BaseMessage]] = {}
    waiting: dict[str, list[int]] = {}
    moved: set[int] = set()
    for place, message in enumerate(messages):
        if isinstance(message, AIMessage):
            for call in [*message.tool_calls, *message.invalid_tool_calls]:
                waiting.setdefault(call["id"] or "", []).append(place)
        elif isinstance(message, ToolMessage) and waiting.get(message.tool_call_id):
            answers.setdefault(waiting[message.tool_call_id].pop(), []).append(message)
            moved.add(place)
    return [
        found
        for place, message in enumerate(messages)
        if place not in moved
        for found in (message, *answers.get(place, ()))
    ]


def _in_order(messages: Sequence[BaseMessage]) -> bool:
    """Whether each result stands behind its call already, with nothing but results between."""
    open_: list[str | None] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in open_:
                return False
            open_.remove(message.tool_call_id)
        elif isinstance(message, AIMessage):
            calls = [*message.tool_calls, *message.invalid_tool_calls]
            open_ = [call["id"] or "" for call in calls]
        else:
            open_ = []
    return True


def _said(item: Item, ids: bool, known: Mapping[str, BaseMessage]) -> BaseMessage:
    if item.id in known:
        return known[item.id]
    message = to_message(item)
    if ids and not message.id:
        message.id = item.id
    return message


def _translated(run: list[Item], *, ids: bool) -> list[BaseMessage]:
    messages = convert_to_messages(Window(run).to_openai())
    if ids:
        for number, message in enumerate(messages):
            message.id = f"{run[0].id}:{number}"
    return messages


def _pieces(items: Sequence[Item]) -> set[int]:
    """By `id()`: the items of a model's output that another framework stored in pieces."""
    found: set[int] = set()
    if all(item.type in _PLAIN for item in items):
        return found
    for model, run in groupby(items, key=_by_another_model):
        held = list(run)
        if model and any(item.type not in _PLAIN for item in held):
            found.update(map(id, held))
    return found


def _by_another_model(item: Item) -> bool:
    return item.role in _MODEL and not is_own(item)
