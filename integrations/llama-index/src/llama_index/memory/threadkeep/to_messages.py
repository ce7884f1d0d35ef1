"""A conversation as LlamaIndex takes it: own messages exact, those of others put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock

from llama_index.memory.threadkeep.codec import to_message
from llama_index.memory.threadkeep.content_codec import from_neutral
from threadkeep import Item

_HIDDEN: Final = frozenset({"notice", "opaque"})
_RESULTS: Final = frozenset({"tool", "function"})
_ROLES: Final = {role.value: role for role in MessageRole}

Entry = tuple[ChatMessage, list[Item]]


def to_messages(items: Sequence[Item]) -> list[ChatMessage]:
    """The messages of a conversation."""
    return [message for message, _ in entries(items)]


def entries(items: Sequence[Item]) -> list[Entry]:
    """Each message with the items it was made of: several where another framework kept the
    thoughts, words and calls of one answer apart.
    """
    read = [(to_message(item), item) for item in items]
    if all(own is not None for own, _ in read):
        return [(own, [item]) for own, item in read if own is not None]
    found: list[Entry] = []
    foreign: list[Item] = []
    owns = {id(item): own for own, item in read}
    for item in _results_behind_calls(items):
        own = owns[id(item)]
        if own is not None and not (item.raw is None and _goes_on(foreign, item)):
            found += _flushed(foreign)
            found.append((own, [item]))
        elif item.type not in _HIDDEN:
            if not _goes_on(foreign, item):
                found += _flushed(foreign)
            foreign.append(item)
    return found + _flushed(foreign)


def _flushed(foreign: list[Item]) -> list[Entry]:
    run, foreign[:] = list(foreign), []
    return [(_translated(run), run)] if run else []


def _goes_on(run: list[Item], item: Item) -> bool:
    """Whether it is one more part of the answer that a model gave."""
    if not run or item.role in _RESULTS or run[-1].role in _RESULTS:
        return False
    if item.role != "assistant" or run[-1].role != "assistant":
        return False
    apart = item.type != "message" and (item.tool_calls or item.type == "reasoning")
    return run[-1].type == "reasoning" or bool(apart)


def _translated(run: list[Item]) -> ChatMessage:
    first = run[0]
    if first.role in _RESULTS:
        extra = {"tool_call_id": first.tool_call_id or "", "name": first.name}
        known = {key: value for key, value in extra.items() if value is not None}
        return ChatMessage(role="tool", blocks=_blocks(first), additional_kwargs=known)
    role = _ROLES.get(first.role) or (MessageRole.ASSISTANT if first.tool_calls else "user")
    blocks = [block for item in run for block in _blocks(item)]
    extra = {"name": first.name} if first.name and first.type == "message" else {}
    return ChatMessage(role=role, blocks=blocks, additional_kwargs=extra)


def _blocks(item: Item) -> list[object]:
    words = [{"type": "text", "text": item.content}] if item.content else []
    neutral = words if isinstance(item.content, str) else item.content
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
    """The items, results right behind the answer that called for them, if others came between."""
    placed: list[Item] = []
    caller: dict[str, int] = {}
    for item in items:
        at = caller.pop(item.tool_call_id or "", None) if item.role in _RESULTS else None
        if at is None:
            placed.append(item)
        else:
            end = at + 1
            while end < len(placed) and _answers_or_goes_on(placed, end):
                end += 1
            placed.insert(end, item)
            caller = {id: n + (n >= end) for id, n in caller.items()}
        if item.tool_calls:
            caller.update({str(call.get("id")): len(placed) - 1 for call in item.tool_calls})
    return placed


def _answers_or_goes_on(placed: list[Item], at: int) -> bool:
    return placed[at].role in _RESULTS or _goes_on([placed[at - 1]], placed[at])
