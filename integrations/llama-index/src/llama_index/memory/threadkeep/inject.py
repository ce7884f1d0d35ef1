"""What long-term memory tells a model, among the messages of a conversation; never stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock

from threadkeep import Window
from threadkeep.longterm.context import Context
from threadkeep.longterm.markers import MARK_END, MARK_START

Asked = tuple[str, int]

OVERHEAD: Final = 16
"""Tokens of a message more, and of texts that are joined."""


def query(input: Any, window: Window) -> str:
    """What the user says now: what an engine is about to put, else their newest message."""
    if isinstance(input, ChatMessage):
        return input.content or ""
    if isinstance(input, str) and input:
        return input
    return next((item.text for item in reversed(window) if item.role == "user"), "")


def asked(window: Window, query: str) -> Asked:
    """The question, and the place of the newest user message, with which a turn begins."""
    newest = next((item.seq for item in reversed(window) if item.role == "user"), 0)
    return query, newest


def told(messages: list[ChatMessage], context: Context, query: str) -> list[ChatMessage]:
    """The messages with what is known: in the system message, and before the question.

    A question that is not among the messages yet finds what was recalled in the system message.

    Args:
        messages: of the conversation, fresh copies.
        context: what is known.
        query: the question.
    """
    found = list(messages)
    asked = next((n for n in range(len(found) - 1, -1, -1) if found[n].role == "user"), None)
    beside = asked is not None and found[asked].content == query
    if context.volatile and beside and asked is not None:
        found[asked] = _with(found[asked], [context.volatile], first=True)
    above = [context.stable, *([] if beside else [context.volatile])]
    texts = [text for text in above if text]
    if not texts:
        return found
    if found and found[0].role == MessageRole.SYSTEM:
        return [_with(found[0], texts), *found[1:]]
    blocks = [TextBlock(text=text) for text in texts]
    return [ChatMessage(role=MessageRole.SYSTEM, blocks=blocks), *found]


def untold(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages without what `told` added, as far as somebody hands it back."""
    left = (message if len(message.blocks) == 0 else _without(message) for message in messages)
    return [message for message in left if message is not None]


def _without(message: ChatMessage) -> ChatMessage | None:
    if message.role not in (MessageRole.SYSTEM, MessageRole.USER):
        return message
    blocks = [block for block in message.blocks if not _is_ours(block)]
    if len(blocks) == len(message.blocks):
        return message
    if not blocks:  # a user who types our marks is stored as everybody else
        return None if message.role == MessageRole.SYSTEM else message
    return message.model_copy(update={"blocks": blocks})


def _is_ours(block: Any) -> bool:
    return (
        isinstance(block, TextBlock)
        and block.text.startswith(MARK_START)
        and block.text.endswith(MARK_END)
    )


def _with(message: ChatMessage, texts: Sequence[str], *, first: bool = False) -> ChatMessage:
    added = [TextBlock(text=text) for text in texts]
    blocks = [*added, *message.blocks] if first else [*message.blocks, *added]
    return message.model_copy(update={"blocks": blocks})
