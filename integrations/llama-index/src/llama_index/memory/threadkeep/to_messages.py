"""Convert items to a LlamaIndex conversation: native messages exact, foreign ones merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock

from llama_index.memory.threadkeep.codec import to_message
from llama_index.memory.threadkeep.content_codec import from_neutral
from threadkeep import Item
from threadkeep.messages import as_blocks

_HIDDEN: Final = frozenset({"notice", "opaque"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_ROLES: Final = {role.value: role for role in MessageRole}

Entry = tuple[ChatMessage, list[Item]]


def to_messages(items: Sequence[Item]) -> list[ChatMessage]:
    """Convert the items of a conversation to messages."""
    return [message for message, _ in entries(items)]


def entries(items: Sequence[Item]) -> list[Entry]:
    """Return each message with its items: several if another framework stored the reasoning,
    text and calls of an answer separately.
    """
    decoded_items = [(to_message(item), item) for item in items]
    if all(message is not None for message, _ in decoded_items):
        return [(message, [item]) for message, item in decoded_items if message is not None]
    grouped_entries: list[Entry] = []
    foreign_run: list[Item] = []
    message_by_identity = {id(item): message for message, item in decoded_items}
    for item in _results_behind_calls(items):
        native_message = message_by_identity[id(item)]
        if native_message is not None and not (item.raw is None and _continues(foreign_run, item)):
            grouped_entries += _flush(foreign_run)
            grouped_entries.append((native_message, [item]))
        elif item.type not in _HIDDEN:
            if not _continues(foreign_run, item):
                grouped_entries += _flush(foreign_run)
            foreign_run.append(item)
    return grouped_entries + _flush(foreign_run)


def _flush(foreign_run: list[Item]) -> list[Entry]:
    flushed_items, foreign_run[:] = list(foreign_run), []
    return [(_foreign_message(flushed_items), flushed_items)] if flushed_items else []


def _continues(run: list[Item], item: Item) -> bool:
    """Return True if the item is another part of the same model answer."""
    if not run or item.role in _RESULT_ROLES or run[-1].role in _RESULT_ROLES:
        return False
    if item.role != "assistant" or run[-1].role != "assistant":
        return False
    is_separate_part = item.type != "message" and (item.tool_calls or item.type == "reasoning")
    return run[-1].type == "reasoning" or bool(is_separate_part)


def _foreign_message(run: list[Item]) -> ChatMessage:
    first_item = run[0]
    if first_item.role in _RESULT_ROLES:
        kwargs = {"tool_call_id": first_item.tool_call_id or "", "name": first_item.name}
        set_kwargs = {key: value for key, value in kwargs.items() if value is not None}
        return ChatMessage(role="tool", blocks=_blocks(first_item), additional_kwargs=set_kwargs)
    role = _ROLES.get(first_item.role) or (
        MessageRole.ASSISTANT if first_item.tool_calls else "user"
    )
    blocks = [block for item in run for block in _blocks(item)]
    kwargs = {"name": first_item.name} if first_item.name and first_item.type == "message" else {}
    return ChatMessage(role=role, blocks=blocks, additional_kwargs=kwargs)


def _blocks(item: Item) -> list[object]:
    call_blocks = [
        ToolCallBlock(
            tool_call_id=tool_call.get("id"),
            tool_name=tool_call.get("name") or "tool",
            tool_kwargs=tool_call.get("args") or {},
        )
        for tool_call in item.tool_calls
    ]
    return [*map(from_neutral, as_blocks(item.content)), *call_blocks]


def _results_behind_calls(items: Sequence[Item]) -> list[Item]:
    """Reorder the items so that tool results directly follow the answer with their calls."""
    ordered_items: list[Item] = []
    index_by_id: dict[str, int] = {}
    for item in items:
        call_index = (
            index_by_id.pop(item.tool_call_id or "", None) if item.role in _RESULT_ROLES else None
        )
        if call_index is None:
            ordered_items.append(item)
        else:
            new_index = call_index + 1
            while new_index < len(ordered_items) and _answers_or_continues(
                ordered_items, new_index
            ):
                new_index += 1
            ordered_items.insert(new_index, item)
            index_by_id = {id: n + (n >= new_index) for id, n in index_by_id.items()}
        if item.tool_calls:
            last_index = len(ordered_items) - 1
            index_by_id |= {str(tool_call.get("id")): last_index for tool_call in item.tool_calls}
    return ordered_items


def _answers_or_continues(items: list[Item], index: int) -> bool:
    return items[index].role in _RESULT_ROLES or _continues([items[index - 1]], items[index])
