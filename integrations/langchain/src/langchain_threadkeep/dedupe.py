"""Detect how much of a transcript that a client resends with every request is stored already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_threadkeep.codec import is_notice
from threadkeep import Item

Utterance = tuple[str, str]
"""A role and a text."""


class StoredPrefix(NamedTuple):
    """The leading messages of a transcript that are stored.

    Attributes:
        length: how many they are.
        last_item: the item of the last of them that was spoken.
        items: the item of each that could be matched, by the index of the message.
    """

    length: int
    last_item: Item | None = None
    items: Mapping[int, Item] = MappingProxyType({})


def stored_prefix(
    messages: Sequence[BaseMessage],
    items: Sequence[Item],
    stored_text: Callable[[str], str],
    *,
    continues: bool = False,
) -> StoredPrefix:
    """Find the stored prefix of a transcript without ids by comparing texts; tools are ignored.

    The prefix must match stored items word for word and contain an answer, unless it only repeats
    a final question that has no answer yet.

    Args:
        messages: the transcript.
        items: the newest of the session.
        stored_text: gives a text as the store has it, so that what was redacted is recognised.
        continues: whether messages with ids precede it. Then it must hold a question and its
            answer, or nothing but a final question: two middlewares may say the same, one after
            the other.
    """
    utterances = [
        (message_index, utterance)
        for message_index, message in enumerate(messages)
        if (utterance := _message_utterance(message, stored_text))
    ]
    item_utterances = [(item, utterance) for item in items if (utterance := _item_utterance(item))]
    for count in range(len(utterances), 0, -1):
        match_end_index = _last_match(
            [utterance for _, utterance in utterances[:count]],
            [utterance for _, utterance in item_utterances],
            may_repeat=not continues or count == len(utterances),
            needed_roles={"user", "assistant"} if continues else {"assistant"},
        )
        if match_end_index is not None:
            prefix_length = _skip_stored_tools(utterances[count - 1][0] + 1, messages, items)
            item_by_index = {
                message_index: item
                for (message_index, _), (item, _) in zip(
                    reversed(utterances[:count]),
                    reversed(item_utterances[: match_end_index + 1]),
                    strict=False,
                )
            }
            return StoredPrefix(
                prefix_length,
                item_utterances[match_end_index][0],
                {**_matching_tools(messages[:prefix_length], items), **item_by_index},
            )
    return StoredPrefix(0)


def _matching_tools(messages: Sequence[BaseMessage], items: Sequence[Item]) -> dict[int, Item]:
    """The items of tool calls and results, matched by the ids of the calls."""
    item_by_call_id = {tool_call.get("id"): item for item in items for tool_call in item.tool_calls}
    item_by_result_id = {item.tool_call_id: item for item in items if item.tool_call_id}
    item_by_index: dict[int, Item] = {}
    for message_index, message in enumerate(messages):
        item = None
        if isinstance(message, AIMessage) and message.tool_calls:
            item = item_by_call_id.get(message.tool_calls[0]["id"])
        elif isinstance(message, ToolMessage):
            item = item_by_result_id.get(message.tool_call_id)
        if item is not None:
            item_by_index[message_index] = item
    return item_by_index


def _last_match(
    utterances: Sequence[Utterance],
    stored: Sequence[Utterance],
    *,
    may_repeat: bool,
    needed_roles: set[str],
) -> int | None:
    """The last stored index at which the utterances end, compared back to the start of either.

    Args:
        may_repeat: a final question alone is enough.
        needed: the roles that must speak otherwise.
    """
    for stored_index in range(len(stored) - 1, -1, -1):
        overlap_length = min(len(utterances), stored_index + 1)
        overlap = utterances[-overlap_length:]
        if overlap != stored[stored_index + 1 - overlap_length : stored_index + 1]:
            continue
        has_needed_roles = needed_roles <= {role for role, _ in overlap}
        is_repeated = (
            may_repeat and overlap_length == len(utterances) and stored_index == len(stored) - 1
        )
        if has_needed_roles or is_repeated:
            return stored_index
    return None


def _skip_stored_tools(index: int, messages: Sequence[BaseMessage], items: Sequence[Item]) -> int:
    """Advance the index past tool calls and results that are stored too."""
    call_ids = {tool_call.get("id") for item in items for tool_call in item.tool_calls}
    result_ids = {item.tool_call_id for item in items if item.tool_call_id}
    while index < len(messages):
        message = messages[index]
        tool_calls = message.tool_calls if isinstance(message, AIMessage) else []
        if not (
            (tool_calls and all(tool_call["id"] in call_ids for tool_call in tool_calls))
            or (isinstance(message, ToolMessage) and message.tool_call_id in result_ids)
        ):
            break
        index += 1
    return index


def _message_utterance(message: BaseMessage, stored_text: Callable[[str], str]) -> Utterance | None:
    if is_notice(message):
        return None
    if isinstance(message, HumanMessage):
        return "user", _text(message.content, stored_text)
    if isinstance(message, AIMessage) and message.text:
        return "assistant", _text(message.content, stored_text)
    return None


def _item_utterance(item: Item) -> Utterance | None:
    if item.type != "message" or item.role not in ("user", "assistant"):
        return None
    return None if item.role == "assistant" and not item.text else (item.role, item.text)


def _text(content: Any, stored_text: Callable[[str], str]) -> str:
    if isinstance(content, str):
        return stored_text(content)
    texts = (part if isinstance(part, str) else part.get("text") for part in content)
    return "\n".join(stored_text(text) for text in texts if isinstance(text, str))
