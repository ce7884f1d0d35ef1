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
    visible_items = [item for item in items if item.type != "opaque"]
    piece_identities = _pieces(visible_items)
    if not piece_identities:
        return [(_message(item, ids), [item]) for item in visible_items]
    message_pairs: list[tuple[BaseMessage, list[Item]]] = []
    for is_piece, item_run in groupby(visible_items, lambda item: id(item) in piece_identities):
        if is_piece:
            message_pairs += _with_pieces(list(item_run), ids=ids)
        else:
            message_pairs += [(_message(item, ids), [item]) for item in item_run]
    return message_pairs


def in_reply_order(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Reorder messages so that each tool result directly follows the message with its call.

    Concurrent runs on a thread interleave their writes; providers expect results right after calls.
    """
    if in_order(messages):
        return list(messages)
    answers_by_index: dict[int, list[BaseMessage]] = {}
    open_by_id: dict[str, list[int]] = {}
    moved_indexes: set[int] = set()
    for message_index, message in enumerate(messages):
        if isinstance(message, AIMessage):
            for tool_call in [*message.tool_calls, *message.invalid_tool_calls]:
                open_by_id.setdefault(tool_call["id"] or "", []).append(message_index)
        elif isinstance(message, ToolMessage) and open_by_id.get(message.tool_call_id):
            answers_by_index.setdefault(open_by_id[message.tool_call_id].pop(), []).append(message)
            moved_indexes.add(message_index)
    return [
        ordered_message
        for message_index, message in enumerate(messages)
        if message_index not in moved_indexes
        for ordered_message in (message, *answers_by_index.get(message_index, ()))
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
            tool_calls = [*message.tool_calls, *message.invalid_tool_calls]
            pending_ids = [tool_call["id"] or "" for tool_call in tool_calls]
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
        for message_number, message in enumerate(messages):
            message.id = f"{run[0].id}:{message_number}"
    return messages


def _from_chat(message: dict[str, Any]) -> BaseMessage:
    """Convert a message of Chat Completions, whatever the arguments of its calls are."""
    (converted_message,) = convert_to_messages([{**message, "tool_calls": []}])
    if isinstance(converted_message, AIMessage) and message.get("tool_calls"):
        call_fields = tool_call_codec.from_neutral(list(map(_neutral_call, message["tool_calls"])))
        converted_message.tool_calls = call_fields["tool_calls"]
        converted_message.invalid_tool_calls = call_fields["invalid_tool_calls"]
    return converted_message


def _neutral_call(call: dict[str, Any]) -> dict[str, Any]:
    call_fields = call.get("function") or call.get("custom") or {}
    arguments = parse_arguments(call_fields.get("arguments", call_fields.get("input")))
    return {"id": call["id"], "name": call_fields.get("name"), "args": arguments}


def _with_pieces(run: list[Item], *, ids: bool) -> list[tuple[BaseMessage, list[Item]]]:
    """The messages of items in pieces: a result by its call's id, the rest by what follows it."""
    message_pairs: list[tuple[BaseMessage, list[Item]]] = [
        (message, []) for message in _foreign_messages(run, ids=ids)
    ]
    waiting_items: list[Item] = []
    for item in run:
        owner_pair = next(
            (message_pair for message_pair in message_pairs if _is_part(item, message_pair[0])),
            None,
        )
        waiting_items.append(item)
        if owner_pair is not None:
            owner_pair[1].extend(waiting_items)
            waiting_items = []
    if waiting_items and message_pairs:
        message_pairs[-1][1].extend(waiting_items)
    return message_pairs


def _is_part(item: Item, message: BaseMessage) -> bool:
    if isinstance(message, ToolMessage):
        return item.tool_call_id == message.tool_call_id
    if item.role == "tool" or not isinstance(message, AIMessage):
        return False
    if item.tool_calls:
        return bool(
            {tool_call.get("id") for tool_call in item.tool_calls}
            & {tool_call["id"] for tool_call in message.tool_calls}
        )
    return bool(item.text) and item.text in message.text


def _pieces(items: Sequence[Item]) -> set[int]:
    """The `id()` of items of model output that another framework stored in pieces."""
    piece_identities: set[int] = set()
    if all(item.type in _PLAIN_TYPES for item in items):
        return piece_identities
    for is_model_output, item_run in groupby(items, key=_is_foreign_output):
        run_items = list(item_run)
        if is_model_output and any(item.type not in _PLAIN_TYPES for item in run_items):
            piece_identities.update(map(id, run_items))
    return piece_identities


def _is_foreign_output(item: Item) -> bool:
    return item.role in _MODEL_ROLES and not is_native(item)
