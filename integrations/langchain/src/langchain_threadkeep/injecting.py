"""What long-term memory tells the model: put into the request, never into the state or a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_threadkeep.messages import is_notice
from langchain_threadkeep.turns import Turn
from threadkeep import Item
from threadkeep.errors import ConfigError

M = TypeVar("M", bound=BaseMessage)


@dataclass(frozen=True, slots=True)
class Injection:
    """How much of long-term memory a model is told.

    Attributes:
        max_tokens: of everything, at most.
        recall: whether what the user says is looked for in earlier conversations.
    """

    max_tokens: int = 800
    recall: bool = True


def chosen(inject: object) -> Injection | None:
    """What `inject=` means; `None` = nothing is told.

    Raises:
        ConfigError: it is neither a flag nor a dict of what an `Injection` has.
    """
    if isinstance(inject, bool):
        return Injection() if inject else None
    known = {field.name for field in fields(Injection)}
    if not isinstance(inject, Mapping) or not inject.keys() <= known:
        raise ConfigError(
            f"inject must be True, False or a dict with {' and '.join(sorted(known))}, "
            f"got {inject!r}"
        )
    made = Injection(**inject)
    if type(made.max_tokens) is not int or made.max_tokens < 1 or type(made.recall) is not bool:
        raise ConfigError(
            "inject: max_tokens must be a whole number of at least 1, and recall True or False"
        )
    return made


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
