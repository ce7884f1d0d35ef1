"""The arguments of adapters: unknown keywords are refused, as frameworks' base classes do not."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Set
from typing import Any, Final, ParamSpec, TypeVar

from threadkeep.errors import did_you_mean
from threadkeep.printable import shown

_RECEIVERS: Final = frozenset({"self", "cls"})

P = ParamSpec("P")
R = TypeVar("R")

_OTHER_NAMES: Final = {
    "as_": ["format"],
    "async_database_uri": ["memory"],
    "async_engine": ["memory"],
    "chat_id": ["session_id"],
    "chat_store": ["memory"],
    "chat_store_key": ["session_id"],
    "checkpointer": ["memory"],
    "connection": ["memory"],
    "connection_string": ["memory"],
    "conversation_id": ["session_id"],
    "db_path": ["memory"],
    "compact": ["summary"],
    "facts": ["inject"],
    "file": ["path"],
    "history_size": ["window"],
    "k": ["window"],
    "limit": ["window"],
    "max_messages": ["window"],
    "keep": ["window"],
    "max_token_limit": ["token_limit", "window"],
    "max_tokens": ["token_limit", "window"],
    "memories": ["inject"],
    "owner": ["user"],
    "recall": ["inject"],
    "record": ["record_responses"],
    "record_usage": ["record_responses"],
    "redis_url": ["memory"],
    "source": ["path"],
    "store": ["memory"],
    "thread_id": ["session_id"],
    "track_cost": ["record_responses"],
    "track_usage": ["record_responses"],
    "trigger": ["summary"],
    "token_counter": ["tokenizer_fn", "window"],
    "uri": ["memory"],
    "url": ["path", "memory"],
    "usage": ["record_responses"],
    "user_id": ["user"],
    "username": ["user"],
}
"""What an argument is called in the frameworks' own classes, and here: the first that is taken."""


def strict_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function or an `__init__` so that a wrong call says what is right.

    A keyword that is not in the signature raises `TypeError` with the nearest valid name; so does
    one positional argument too many, with the order of arguments. `**fields` in a signature stands
    for the fields that a subclass of a pydantic class declares, and for nothing else.
    """
    parameters = inspect.signature(function).parameters.values()
    positional_names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    parameter_names = frozenset(p.name for p in parameters if p.kind is not p.VAR_KEYWORD)
    has_fields = len(parameter_names) < len(parameters)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if len(args) > len(positional_names):
            raise TypeError(_title(function, args) + _too_many(positional_names, parameter_names))
        if not kwargs.keys() <= parameter_names:
            allowed_names = parameter_names | _fields_of(args[0]) if has_fields else parameter_names
            if unknown_names := kwargs.keys() - allowed_names:
                hint = _hint(min(unknown_names), allowed_names - _RECEIVERS)
                call_title = _title(function, args)
                raise TypeError(f"{call_title} has no argument {shown(min(unknown_names))}{hint}")
        return function(*args, **kwargs)

    return checked


def _fields_of(receiver: object) -> set[str]:
    """The pydantic fields of the class that a method was called on, or on whose instance."""
    cls = receiver if isinstance(receiver, type) else type(receiver)
    return set(getattr(cls, "model_fields", ()))


def _hint(keyword: str, names: Set[str]) -> str:
    named_here = [name for name in _OTHER_NAMES.get(keyword, ()) if name in names]
    return f"; did you mean {shown(named_here[0])}?" if named_here else did_you_mean(keyword, names)


def _too_many(positional_names: list[str], names: Set[str]) -> str:
    by_position = ", ".join(name for name in positional_names if name not in _RECEIVERS)
    keyword_list = ", ".join(sorted(names - {*positional_names}))
    return f" takes only {by_position} by position, in this order; pass by keyword: {keyword_list}"


def _title(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """What callers call it: a class by its name, a class method with its class."""
    if function.__name__ == "__init__":
        return f"{type(args[0]).__name__}()"
    return f"{function.__qualname__}()"
