"""Errors for names that a verb or class does not have: they say the right one."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from threadkeep.core import call_limit
from threadkeep.core.engine import async_twin
from threadkeep.core.peer_names import ATTRIBUTES, KEYWORDS
from threadkeep.errors import did_you_mean
from threadkeep.printable import shown

T = TypeVar("T")

_UNEXPECTED: Final = re.compile(r"got an unexpected keyword argument '(\w+)'")


def missing_attribute(instance: object, name: str) -> AttributeError:
    """The error for an attribute that a public object does not have."""
    cls = type(instance)
    message = f"{shown(cls.__name__)} object has no attribute {shown(name)}"
    if name.startswith("_"):
        return AttributeError(message, name=name, obj=instance)
    for base_class in cls.__mro__:  # an application may have a subclass
        our_names = ATTRIBUTES.get(base_class.__name__, {})
        if our_name := our_names.get(name) or our_names.get(name.removeprefix("a")):
            return AttributeError(f"{message}; use {our_name}")
    return AttributeError(message, name=name, obj=instance)  # Python itself proposes a near one


def missing_name(module: str, name: str) -> AttributeError:
    """The error for a name that a public module does not have."""
    message = f"module {shown(module)} has no attribute {shown(name)}"
    our_name = ATTRIBUTES.get(module, {}).get(name)
    return AttributeError(f"{message}; use {our_name}" if our_name else message)


def name_unknown_keywords(cls: type[T]) -> type[T]:
    """Class decorator: an unknown keyword of a verb is a `TypeError` that says the right one."""
    verbs_by_name = {name: verb for name, verb in vars(cls).items() if not name.startswith("_")}
    for name, verb in verbs_by_name.items():
        if inspect.isfunction(verb) and not inspect.iscoroutinefunction(verb):
            wrapped_verb = _naming_keywords(verb)
            setattr(cls, name, wrapped_verb)
            if getattr(verbs_by_name.get(f"a{name}"), "__wrapped__", None) is verb:
                setattr(cls, f"a{name}", async_twin(wrapped_verb))
    return cls


def _naming_keywords(verb: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(verb)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return verb(*args, **kwargs)
        except TypeError as error:
            if _is_from_inside(error):
                raise
            raise _keyword_error(verb, error) from None

    return call


def _is_from_inside(error: TypeError) -> bool:
    """Whether the verb raised it, and not the call of the verb, which may be marked `reads`."""
    traceback = error.__traceback__
    if traceback is None:
        return True
    traceback = traceback.tb_next
    while traceback is not None and traceback.tb_frame.f_code.co_filename == call_limit.__file__:
        traceback = traceback.tb_next
    return traceback is not None


def _keyword_error(verb: Callable[..., Any], error: TypeError) -> TypeError:
    keyword_match = _UNEXPECTED.search(str(error))
    if keyword_match is None:
        return error
    valid_keywords = [
        keyword
        for keyword, parameter in inspect.signature(verb).parameters.items()
        if keyword != "self" and parameter.kind is not inspect.Parameter.VAR_POSITIONAL
    ]
    unknown_keyword = keyword_match.group(1)
    our_keyword = next(
        (keyword for keyword in KEYWORDS.get(unknown_keyword, ()) if keyword in valid_keywords),
        None,
    )
    hint = (
        f"; did you mean {shown(our_keyword)}?"
        if our_keyword
        else did_you_mean(unknown_keyword, valid_keywords)
        if valid_keywords
        else ""
    )
    return TypeError(f"{error}{hint}")
