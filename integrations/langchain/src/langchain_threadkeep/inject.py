"""Inject long-term memory into model requests; it is never added to the state or a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_threadkeep.codec import is_notice, is_summary
from langchain_threadkeep.turn import AgentTurn
from threadkeep import Item
from threadkeep.adapters.injection import Injection

M = TypeVar("M", bound=BaseMessage)


def inject_context(
    options: Injection, turn: AgentTurn, window: Sequence[Item], request: ModelRequest[Any]
) -> ModelRequest[Any]:
    """Add long-term memory to a request: after the system message, and before the question.

    Memory is read once per turn, so that prompts only grow at the end while the model calls tools.
    A summary among the messages, as `SummarizationMiddleware` writes it, takes the place of the
    session's own.

    Args:
        options: the `inject=` option.
        turn: the current turn.
        window: the items of the session in the request.
        request: the request without long-term memory.
    """
    question = _question(turn, request.messages)
    wants_summary = options.summary and not any(map(is_summary, request.messages))
    context = turn.contexts.get(wants_summary)
    if context is None:
        recall_query = question.text if question is not None and options.recall else None
        context = turn.chat.context(
            recall_query, max_tokens=options.max_tokens, summary=wants_summary, window=window
        )
        turn.contexts[wants_summary] = context
    if context.stable:
        system_message = with_text_after(request.system_message, context.stable)
        request = request.override(system_message=system_message)
    if context.volatile and question is not None:
        enriched_question = _with_text_before(question, context.volatile)
        messages: list[Any] = [
            enriched_question if message is question else message for message in request.messages
        ]
        request = request.override(messages=messages)
    return request


def with_text_after(system: SystemMessage | None, text: str) -> SystemMessage:
    """Append a text to the system message."""
    if system is None:
        return SystemMessage(text)
    return _with_blocks(system, [*_blocks(system), {"type": "text", "text": text}])


def _with_text_before(question: HumanMessage, text: str) -> HumanMessage:
    """Prepend a text to the question."""
    return _with_blocks(question, [{"type": "text", "text": text}, *_blocks(question)])


def _with_blocks(message: M, blocks: list[Any]) -> M:
    """Copy a message with new content, as plain text if all blocks are texts."""
    texts = [block.get("text") for block in blocks if block.keys() == {"type", "text"}]
    new_content = "\n\n".join(map(str, texts)) if len(texts) == len(blocks) else blocks
    return message.model_copy(update={"content": new_content})


def _blocks(message: BaseMessage) -> list[Any]:
    content_parts = [message.content] if isinstance(message.content, str) else message.content
    return [
        {"type": "text", "text": content_part} if isinstance(content_part, str) else content_part
        for content_part in content_parts
        if content_part
    ]


def _question(turn: AgentTurn, messages: Sequence[BaseMessage]) -> HumanMessage | None:
    """The user message that opened the turn, else the newest one that is no notice."""
    questions = [
        message
        for message in messages
        if isinstance(message, HumanMessage) and not is_notice(message)
    ]
    opening_questions = [message for message in questions if message.id == turn.opening]
    return next(reversed(opening_questions or questions), None)
