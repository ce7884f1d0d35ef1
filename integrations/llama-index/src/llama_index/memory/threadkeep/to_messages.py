"""Convert items to a LlamaIndex conversation: native messages exact, foreign ones merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock

from llama_index.memory.threadkeep.codec import to_message
from llama_index.memory.threadkeep.content_codec import from_neutral
from threadkeep import Item

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
    decoded = [(to_message(item), item) for item in items]
    if all(message is not None for message, _ in decoded):
        return [(message, [item]) for message, item in decoded if message is not None]
    grouped: list[Entry] = []
    foreign: list[Item] = []
    native_by_id = {id(item): message for message, item in decoded}
    for item in _results_behind_calls(items):
        native = native_by_id[id(item)]
        if native is not None and not (item.raw is None and _continues(foreign, item)):
            grouped += _flush(foreign)
            grouped.append((native, [item]))
        elif item.type not in _HIDDEN:
            if not _continues(foreign, item):
                grouped += _flush(foreign)
            foreign.append(item)
    return grouped + _flush(foreign)


def _flush(foreign: list[Item]) -> list[Entry]:
    run, foreign[:] = list(foreign), []
    return [(_foreign_message(run), run)] if run else []


def _continues(run: list[Item], item: Item) -> bool:
    """Return True if the item is another part of the same model answer."""
    if not run or item.role in _RESULT_ROLES or run[-1].role in _RESULT_ROLES:
        return False
    if item.role != "assistant" or run[-1].role != "assistant":
        return False
    is_separate_part = item.type != "message" and (item.tool_calls or item.type == "reasoning")
    return run[-1].type == "reasoning" or bool(is_separate_part)


def _foreign_message(run: list[Item]) -> ChatMessage:
    first = run[0]
    if first.role in _RESULT_ROLES:
        extra = {"tool_call_id": first.tool_call_id or "", "name": first.name}
        fields = {key: value for key, value in extra.items() if value is not None}
        return ChatMessage(role="tool", blocks=_blocks(first), additional_kwargs=fields)
    role = _ROLES.get(first.role) or (MessageRole.ASSISTANT if first.tool_calls else "user")
    blocks = [block for item in run for block in _blocks(item)]
    extra = {"name": first.name} if first.name and first.type == "message" else {}
    return ChatMessage(role=role, blocks=blocks, additional_kwargs=extra)


def _blocks(item: Item) -> list[object]:
    text_blocks = [{"type": "text", "text": item.content}] if item.content else []
    neutral = text_blocks if isinstance(item.content, str) else item.content
    calls = [
        ToolCallBlock(
            tool_call_id=call.get("id"),
            tool_name=call.get("name") or "tool",
            tool_kwargs=call.get("args") or {},
        )
        for call in item.tool_calls
    ]
    return [*map(from_neutral, neutral), *calls]


def _results_behind_calls(items: Sequence[Item]) -> list[Item]:
    """Reorder the items so that tool results directly follow the answer with their calls."""
    ordered: list[Item] = []
    caller: dict[str, int] = {}
    for item in items:
        call_index = (
            caller.pop(item.tool_call_id or "", None) if item.role in _RESULT_ROLES else None
        )
        if call_index is None:
            ordered.append(item)
        else:
            end = call_index + 1
            while end < len(ordered) and _answers_or_continues(ordered, end):
                end += 1
            ordered.insert(end, item)
            caller = {id: n + (n >= end) for id, n in caller.items()}
        if item.tool_calls:
            caller.update({str(call.get("id")): len(ordered) - 1 for call in item.tool_calls})
    return ordered


def _answers_or_continues(ordered: list[Item], index: int) -> bool:
    return ordered[index].role in _RESULT_ROLES or _continues([ordered[index - 1]], ordered[index])
