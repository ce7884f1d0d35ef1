"""Transcripts that clients send again with every request: what of them is stored already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_threadkeep.codec import is_notice
from threadkeep import Item

Said = tuple[str, str]
"""Who, and which words."""


class Resent(NamedTuple):
    """How many of the messages at the front are stored, and the item of the last of them."""

    front: int
    last: Item | None = None


def resent(messages: Sequence[BaseMessage], items: Sequence[Item]) -> Resent:
    """How much of a transcript without ids is a repetition, by what was said, tools left out.

    Its beginning must be in the store word for word, with an answer in it; or it repeats a
    question at the very end that has no answer yet.
    """
    told = [(place, said) for place, m in enumerate(messages) if (said := _of_message(m))]
    stored = [(item, said) for item in items if (said := _of_item(item))]
    for count in range(len(told), 0, -1):
        end = _found([said for _, said in told[:count]], [said for _, said in stored])
        if end is not None:
            place = _past_tools(told[count - 1][0] + 1, messages, items)
            return Resent(place, stored[end][0])
    return Resent(0)


def _found(words: Sequence[Said], stored: Sequence[Said]) -> int | None:
    """Where in the store the words end, as late as possible, back to the beginning of either."""
    for end in range(len(stored) - 1, -1, -1):
        length = min(len(words), end + 1)
        overlap = words[-length:]
        if overlap != stored[end + 1 - length : end + 1]:
            continue
        answered = any(role == "assistant" for role, _ in overlap)
        if answered or (length == len(words) and end == len(stored) - 1):
            return end
    return None


def _past_tools(place: int, messages: Sequence[BaseMessage], items: Sequence[Item]) -> int:
    """Behind the calls and results at that place that are stored as well."""
    calls = {call.get("id") for item in items for call in item.tool_calls}
    results = {item.tool_call_id for item in items if item.tool_call_id}
    while place < len(messages):
        message = messages[place]
        asked = message.tool_calls if isinstance(message, AIMessage) else []
        if not (
            (asked and all(call["id"] in calls for call in asked))
            or (isinstance(message, ToolMessage) and message.tool_call_id in results)
        ):
            break
        place += 1
    return place


def _of_message(message: BaseMessage) -> Said | None:
    if is_notice(message):
        return None
    if isinstance(message, HumanMessage):
        return "user", _words(message.content)
    if isinstance(message, AIMessage) and message.text:
        return "assistant", _words(message.content)
    return None


def _of_item(item: Item) -> Said | None:
    if item.type != "message" or item.role not in ("user", "assistant"):
        return None
    return None if item.role == "assistant" and not item.text else (item.role, item.text)


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    texts = (part if isinstance(part, str) else part.get("text") for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))
