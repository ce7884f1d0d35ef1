"""What `token_counter=` may be, as one thing: a callable of messages in their order."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables.base import RunnableBinding

from langchain_threadkeep.codec import to_item
from threadkeep import Window

Counter = Callable[[Sequence[BaseMessage]], int]


def counter(given: Any) -> Counter:
    """A counter of messages from a model, a callable of messages or of one, or `approximate`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(given, str):
        if given != "approximate":
            raise ValueError(f"Invalid token_counter shortcut {given!r}; there is 'approximate'")
        return _approximate
    model = _unbound(given)
    if isinstance(model, BaseLanguageModel):
        return lambda messages: model.get_num_tokens_from_messages(list(messages))
    if not callable(given):
        raise ValueError(
            "token_counter must be 'approximate', a model, or a callable of messages or of one "
            f"message, got {given!r}"
        )
    if _takes_one(given):
        return lambda messages: sum(given(message) for message in messages)
    return lambda messages: _either(given, messages)


def _unbound(given: Any) -> Any:
    """The model of `model.bind(...)`, `model.with_config(...)` and the like."""
    while isinstance(given, RunnableBinding):
        given = given.bound
    return given


def _approximate(messages: Sequence[BaseMessage]) -> int:
    """Words, tool calls with their arguments, and media by flat rates, however they are written."""
    return Window(to_item(message) for message in messages).tokens


def _takes_one(given: Callable[..., Any]) -> bool:
    """Whether its first parameter says that it is a message, also where annotations are texts."""
    try:
        hints = typing.get_type_hints(given)
    except (NameError, TypeError):
        return False
    first = next((hint for name, hint in hints.items() if name != "return"), None)
    return isinstance(first, type) and issubclass(first, BaseMessage)


def _either(given: Callable[..., int], messages: Sequence[BaseMessage]) -> int:
    """Of messages; and of one after the other, if that is what it understands."""
    try:
        return given(list(messages))
    except (AttributeError, TypeError):
        if not messages:
            raise
        return sum(given(message) for message in messages)
