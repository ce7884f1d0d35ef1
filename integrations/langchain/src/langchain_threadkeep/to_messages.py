"""Convert items to the messages of a conversation, in an order that all providers accept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage, convert_to_messages

from langchain_threadkeep import tool_call_codec
from langchain_threadkeep.codec import is_native, to_message
from threadkeep import Item, Window
from threadkeep.messages import parse_arguments

_PLAIN_TYPES: Final = frozenset({"message", "tool_result", "notice"})
_MODEL_ROLES: Final = frozenset({"assistant", "tool"})


def to_messages(
    items: Sequence[Item],
    *,
    ids: bool = False,
) -> list[BaseMessage]:
    """Convert items to messages; unreadable records are skipped.

    Answers that another framework stored in pieces (a reasoning item, a call, its result) are
    merged as in LangChain.

    Args:
        items: oldest first.
        ids: set the record's id on messages without an id.
    """
    return [message for message, _ in with_items(items, ids=ids)]


def with_items(items: Sequence[Item], *, ids: bool = False) -> list[tuple[BaseMessage, list[Item]]]:
    """As `to_messages`, each message with the items that it is made of."""
    visible = [item for item in items if item.type != "opaque"]
    pieces = _pieces(visible)
    if not pieces:
        return [(_message(item, ids), [item]) for item in visible]
    pairs: list[tuple[BaseMessage, list[Item]]] = []
    for in_pieces, run in groupby(visible, key=lambda item: id(item) in pieces):
        if in_pieces:
            pairs += _with_pieces(list(run), ids=ids)
        else:
            pairs += [(_message(item, ids), [item]) for item in run]
    return pairs


def in_reply_order(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Reorder messages so that each tool result directly follows the message with its call.

    Concurrent runs on a thread interleave their writes; providers expect results right after calls.
    """
    if in_order(messages):
        return list(messages)
    answers: dict[int, list[BaseMessage]] = {}
    waiting: dict[str, list[int]] = {}
    moved: set[int] = set()
    for index, message in enumerate(messages):
        if isinstance(message, AIMessage):
            for call in [*message.tool_calls, *message.invalid_tool_calls]:
                waiting.setdefault(call["id"] or "", []).append(index)
        elif isinstance(message, ToolMessage) and waiting.get(message.tool_call_id):
            answers.setdefault(waiting[message.tool_call_id].pop(), []).append(message)
            moved.add(index)
    return [
        ordered
        for place, message in enumerate(messages)
        if place not in moved
        for ordered in (message, *answers.get(place, ()))
    ]


def in_order(messages: Sequence[BaseMessage]) -> bool:
    """Return True if each result follows its call with nothing but results between."""
    pending_ids: list[str | None] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in pending_ids:
                return False
            pending_ids.remove(message.tool_call_id)
        elif isinstance(message, AIMessage):
            calls = [*message.tool_calls, *message.invalid_tool_calls]
            pending_ids = [call["id"] or "" for call in calls]
        else:
            pending_ids = []
    return True


def _message(item: Item, ids: bool) -> BaseMessage:
    message = to_message(item)
    if ids and not message.id:
        message.id = item.id
    return message


def _foreign_messages(run: list[Item], *, ids: bool) -> list[BaseMessage]:
    messages = [_from_chat(message) for message in Window(run).to_openai("openai")]
    if ids:
        for number, message in enumerate(messages):
            message.id = f"{run[0].id}:{number}"
    return messages


def _from_chat(message: dict[str, Any]) -> BaseMessage:
    """Convert a message of Chat Completions, whatever the arguments of its calls are."""
    (converted,) = convert_to_messages([{**message, "tool_calls": []}])
    if isinstance(converted, AIMessage) and message.get("tool_calls"):
        calls = tool_call_codec.from_neutral(list(map(_neutral_call, message["tool_calls"])))
        converted.tool_calls = calls["tool_calls"]
        converted.invalid_tool_calls = calls["invalid_tool_calls"]
    return converted


def _neutral_call(call: dict[str, Any]) -> dict[str, Any]:
    inner = call.get("function") or call.get("custom") or {}
    arguments = parse_arguments(inner.get("arguments", inner.get("input")))
    return {"id": call["id"], "name": inner.get("name"), "args": arguments}


def _with_pieces(run: list[Item], *, ids: bool) -> list[tuple[BaseMessage, list[Item]]]:
    """The messages of items in pieces: a result by its call's id, the rest by what follows it."""
    pairs: list[tuple[BaseMessage, list[Item]]] = [
        (message, []) for message in _foreign_messages(run, ids=ids)
    ]
    waiting: list[Item] = []
    for item in run:
        owner = next((pair for pair in pairs if _is_part(item, pair[0])), None)
        waiting.append(item)
        if owner is not None:
            owner[1].extend(waiting)
            waiting = []
    if waiting and pairs:
        pairs[-1][1].extend(waiting)
    return pairs


def _is_part(item: Item, message: BaseMessage) -> bool:
    if isinstance(message, ToolMessage):
        return item.tool_call_id == message.tool_call_id
    if item.role == "tool" or not isinstance(message, AIMessage):
        return False
    if item.tool_calls:
        return bool({c.get("id") for c in item.tool_calls} & {c["id"] for c in message.tool_calls})
    return bool(item.text) and item.text in message.text


def _pieces(items: Sequence[Item]) -> set[int]:
    """The `id()` of items of model output that another framework stored in pieces."""
    piece_ids: set[int] = set()
    if all(item.type in _PLAIN_TYPES for item in items):
        return piece_ids
    for model, run in groupby(items, key=_is_foreign_output):
        run_items = list(run)
        if model and any(item.type not in _PLAIN_TYPES for item in run_items):
            piece_ids.update(map(id, run_items))
    return piece_ids


def _is_foreign_output(item: Item) -> bool:
    return item.role in _MODEL_ROLES and not is_native(item)
