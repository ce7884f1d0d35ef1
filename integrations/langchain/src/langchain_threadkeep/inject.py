"""What long-term memory tells the model: put into the request, never into the state or a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_threadkeep.codec import is_notice
from langchain_threadkeep.turn import Turn
from threadkeep import Item
from threadkeep.adapters.injection import Injection

M = TypeVar("M", bound=BaseMessage)


def inject(
    how: Injection, turn: Turn, window: Sequence[Item], request: ModelRequest[Any]
) -> ModelRequest[Any]:
    """The request with what is known: at the end of the system message, and at the question.

    Read once in a turn, so that a prompt grows at its end only while the model calls its tools.

    Args:
        how: how much.
        turn: the turn that is under way.
        window: what of the session the model is shown.
        request: as it would be sent without a long-term memory.
    """
    question = _question(turn, request.messages)
    if turn.notes is None:
        query = question.text if question is not None and how.recall else None
        turn.notes = turn.chat.context(query, max_tokens=how.max_tokens, window=window)
    if turn.notes.stable:
        told = with_text(request.system_message, turn.notes.stable)
        request = request.override(system_message=told)
    if turn.notes.volatile and question is not None:
        beside = _beside(question, turn.notes.volatile)
        messages: list[Any] = [beside if m is question else m for m in request.messages]
        request = request.override(messages=messages)
    return request


def with_text(system: SystemMessage | None, text: str) -> SystemMessage:
    """The system message with a text at its end."""
    if system is None:
        return SystemMessage(text)
    return _with(system, [*_blocks(system), {"type": "text", "text": text}])


def _beside(question: HumanMessage, text: str) -> HumanMessage:
    """The question with a text before it."""
    return _with(question, [{"type": "text", "text": text}, *_blocks(question)])


def _with(message: M, blocks: list[Any]) -> M:
    """A copy with other content, as plain text if it is nothing else."""
    texts = [block.get("text") for block in blocks if block.keys() == {"type", "text"}]
    content = "\n\n".join(map(str, texts)) if len(texts) == len(blocks) else blocks
    return message.model_copy(update={"content": content})


def _blocks(message: BaseMessage) -> list[Any]:
    found = [message.content] if isinstance(message.content, str) else message.content
    return [{"type": "text", "text": one} if isinstance(one, str) else one for one in found if one]


def _question(turn: Turn, messages: Sequence[BaseMessage]) -> HumanMessage | None:
    """What the user said: what opened the turn, else the newest that is no notice."""
    asked = [m for m in messages if isinstance(m, HumanMessage) and not is_notice(m)]
    opening = [message for message in asked if message.id == turn.mark["opening"]]
    return next(reversed(opening or asked), None)
