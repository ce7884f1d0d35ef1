"""Errors for wrong calls of a verb: they say what it takes, and that it is no collection."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from threadkeep.core import call_limit
from threadkeep.core.async_twin import async_twin
from threadkeep.core.peer_collections import VERB_ATTRIBUTES
from threadkeep.core.peer_names import CONTENT, KEYWORDS
from threadkeep.errors import did_you_mean
from threadkeep.printable import shown

T = TypeVar("T")

_UNEXPECTED: Final = re.compile(r"got an unexpected keyword argument '(\w+)'")
_TOO_MANY: Final = re.compile(r"(\S+\(\)) takes .* positional arguments? but \d+ .*given")


def explain_wrong_calls(cls: type[T]) -> type[T]:
    """Class decorator: a wrong call of a verb is a `TypeError` that says what it takes."""
    verb_by_name = {name: verb for name, verb in vars(cls).items() if not name.startswith("_")}
    for name, verb in verb_by_name.items():
        if inspect.isfunction(verb) and not inspect.iscoroutinefunction(verb):
            wrapped_verb = _explaining(verb)
            for typed_name, our_name in VERB_ATTRIBUTES.get(f"{cls.__name__}.{name}", {}).items():
                setattr(wrapped_verb, typed_name, _refusing(f"{name}.{typed_name}", our_name))
            setattr(cls, name, wrapped_verb)
            if getattr(verb_by_name.get(f"a{name}"), "__wrapped__", None) is verb:
                setattr(cls, f"a{name}", async_twin(wrapped_verb))
    return cls


def _explaining(verb: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(verb)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return verb(*args, **kwargs)
        except TypeError as error:
            if _is_from_inside(error):
                raise
            raise _call_error(verb, error) from None

    return call


def _refusing(typed_name: str, our_name: str) -> Callable[..., Any]:
    """What stands for a verb of a collection that is itself a verb here."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AttributeError(f"there is no {typed_name}; use {our_name}")

    return refuse


def _is_from_inside(error: TypeError) -> bool:
    """Whether the verb raised it, and not the call of the verb, which may be marked `reads`."""
    traceback = error.__traceback__
    if traceback is None:
        return True
    traceback = traceback.tb_next
    while traceback is not None and traceback.tb_frame.f_code.co_filename == call_limit.__file__:
        traceback = traceback.tb_next
    return traceback is not None


def _call_error(verb: Callable[..., Any], error: TypeError) -> TypeError:
    parameters = [p for p in inspect.signature(verb).parameters.values() if p.name != "self"]
    if keyword_match := _UNEXPECTED.search(str(error)):
        return TypeError(f"{error}{_keyword_hint(keyword_match.group(1), parameters)}")
    if surplus_match := _TOO_MANY.match(str(error)):
        return TypeError(f"{surplus_match.group(1)} {_positions(parameters)}")
    return error


def _keyword_hint(unknown_keyword: str, parameters: Sequence[inspect.Parameter]) -> str:
    spread_names = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    valid_keywords = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
    meant_keywords = KEYWORDS.get(unknown_keyword, ())
    if our_keyword := next((word for word in meant_keywords if word in valid_keywords), None):
        return f"; did you mean {shown(our_keyword)}?"
    if spread_names and (unknown_keyword in CONTENT or not valid_keywords):
        return f"; pass {spread_names[0]} by position, without a keyword"
    return did_you_mean(unknown_keyword, valid_keywords) if valid_keywords else ""


def _positions(parameters: Sequence[inspect.Parameter]) -> str:
    """What a verb takes by position and what by keyword, for a call with too many positions."""
    positional_names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    keyword_names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    by_position = f"only {', '.join(positional_names)}" if positional_names else "nothing"
    by_keyword = f"; pass by keyword: {', '.join(keyword_names)}" if keyword_names else ""
    return f"takes {by_position} by position{by_keyword}"
