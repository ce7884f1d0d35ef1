"""Inject long-term memory into the messages for a model; it is never stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock

from threadkeep import Window
from threadkeep.longterm.context import Context
from threadkeep.longterm.markers import MARK_END, MARK_START

MESSAGE_OVERHEAD: Final = 16
"""Tokens of one more message and of separators between joined texts."""


def current_question(input: Any, window: Window) -> str:
    """Return the user's question: the engine's new input, else the newest user message."""
    if isinstance(input, ChatMessage):
        return input.content or ""
    if isinstance(input, str) and input:
        return input
    return next((item.text for item in reversed(window) if item.role == "user"), "")


def turn_key(window: Window) -> int:
    """Return the seq of the newest user message, at which the turn began."""
    return next((item.seq for item in reversed(window) if item.role == "user"), 0)


def inject_context(messages: list[ChatMessage], context: Context, query: str) -> list[ChatMessage]:
    """Add long-term memory to the messages: to the system message, and before the question.

    If the question is not among the messages yet, recalled notes go into the system message too.

    Args:
        messages: copies of the conversation's messages.
        context: the texts to inject.
        query: the question.
    """
    new_messages = list(messages)
    question_index = next(
        (n for n in range(len(new_messages) - 1, -1, -1) if new_messages[n].role == "user"), None
    )
    has_question = question_index is not None and new_messages[question_index].content == query
    if context.volatile and has_question and question_index is not None:
        new_messages[question_index] = _with_texts(
            new_messages[question_index], [context.volatile], first=True
        )
    candidate_texts = [context.stable, *([] if has_question else [context.volatile])]
    texts = [text for text in candidate_texts if text]
    if not texts:
        return new_messages
    if new_messages and new_messages[0].role == MessageRole.SYSTEM:
        return [_with_texts(new_messages[0], texts), *new_messages[1:]]
    blocks = [TextBlock(text=text) for text in texts]
    return [ChatMessage(role=MessageRole.SYSTEM, blocks=blocks), *new_messages]


def without_context(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Remove injected memory from messages that a caller passes back."""
    own_messages = (
        message if len(message.blocks) == 0 else _strip_context(message) for message in messages
    )
    return [message for message in own_messages if message is not None]


def _strip_context(message: ChatMessage) -> ChatMessage | None:
    if message.role not in (MessageRole.SYSTEM, MessageRole.USER):
        return message
    blocks = [block for block in message.blocks if not _is_injected(block)]
    if len(blocks) == len(message.blocks):
        return message
    if not blocks:  # a user who types the markers is stored like anyone else
        return None if message.role == MessageRole.SYSTEM else message
    return message.model_copy(update={"blocks": blocks})


def _is_injected(block: Any) -> bool:
    return (
        isinstance(block, TextBlock)
        and block.text.startswith(MARK_START)
        and block.text.endswith(MARK_END)
    )


def _with_texts(message: ChatMessage, texts: Sequence[str], *, first: bool = False) -> ChatMessage:
    text_blocks = [TextBlock(text=text) for text in texts]
    blocks = [*text_blocks, *message.blocks] if first else [*message.blocks, *text_blocks]
    return message.model_copy(update={"blocks": blocks})
