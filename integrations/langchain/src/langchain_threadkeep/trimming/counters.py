"""Convert any `token_counter=` argument to a callable of messages."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables.base import RunnableBinding

from langchain_threadkeep.codec import to_item
from threadkeep import Window
from threadkeep.printable import shown

Counter = Callable[[Sequence[BaseMessage]], int]


def counter(token_counter: Any) -> Counter:
    """Return a counter for a model, a callable of messages or of one message, or `approximate`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(token_counter, str):
        if token_counter != "approximate":  # noqa: S105  # not a password
            raise ValueError(
                f"Invalid token_counter shortcut {shown(token_counter)}; there is 'approximate'"
            )
        return _approximate
    model = _unwrap_binding(token_counter)
    if isinstance(model, BaseLanguageModel):
        return lambda messages: model.get_num_tokens_from_messages(list(messages))
    if not callable(token_counter):
        raise ValueError(
            "token_counter must be 'approximate', a model, or a callable of messages or of one "
            f"message, got {shown(token_counter)}"
        )
    if _takes_message(token_counter):
        return lambda messages: sum(token_counter(message) for message in messages)
    return lambda messages: _count_either(token_counter, messages)


def _unwrap_binding(token_counter: Any) -> Any:
    """Unwrap the model of `model.bind(...)`, `model.with_config(...)` and similar."""
    while isinstance(token_counter, RunnableBinding):
        token_counter = token_counter.bound
    return token_counter


def _approximate(messages: Sequence[BaseMessage]) -> int:
    """Estimate the tokens of texts and tool calls, with flat rates for media."""
    return Window(to_item(message) for message in messages).tokens


def _takes_message(token_counter: Callable[..., Any]) -> bool:
    """Return True if the first parameter is annotated as a message, also by a string."""
    try:
        type_hints = typing.get_type_hints(token_counter)
    except (NameError, TypeError):
        return False
    first_hint = next(
        (type_hint for name, type_hint in type_hints.items() if name != "return"), None
    )
    return isinstance(first_hint, type) and issubclass(first_hint, BaseMessage)


def _count_either(token_counter: Callable[..., int], messages: Sequence[BaseMessage]) -> int:
    """Call the counter with all messages, or one by one if it fails on a list."""
    try:
        return token_counter(list(messages))
    except (AttributeError, TypeError):
        if not messages:
            raise
        return sum(token_counter(message) for message in messages)
