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
    for base in cls.__mro__:  # an application may have a subclass
        table = ATTRIBUTES.get(base.__name__, {})
        if meant := table.get(name) or table.get(name.removeprefix("a")):
            return AttributeError(f"{message}; use {meant}")
    return AttributeError(message, name=name, obj=instance)  # Python itself proposes a near one


def missing_name(module: str, name: str) -> AttributeError:
    """The error for a name that a public module does not have."""
    message = f"module {shown(module)} has no attribute {shown(name)}"
    meant = ATTRIBUTES.get(module, {}).get(name)
    return AttributeError(f"{message}; use {meant}" if meant else message)


def name_unknown_keywords(cls: type[T]) -> type[T]:
    """Class decorator: an unknown keyword of a verb is a `TypeError` that says the right one."""
    verbs = {name: value for name, value in vars(cls).items() if not name.startswith("_")}
    for name, verb in verbs.items():
        if inspect.isfunction(verb) and not inspect.iscoroutinefunction(verb):
            wrapped = _naming_keywords(verb)
            setattr(cls, name, wrapped)
            if getattr(verbs.get(f"a{name}"), "__wrapped__", None) is verb:
                setattr(cls, f"a{name}", async_twin(wrapped))
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
    trace = error.__traceback__
    if trace is None:
        return True
    trace = trace.tb_next
    while trace is not None and trace.tb_frame.f_code.co_filename == call_limit.__file__:
        trace = trace.tb_next
    return trace is not None


def _keyword_error(verb: Callable[..., Any], error: TypeError) -> TypeError:
    match = _UNEXPECTED.search(str(error))
    if match is None:
        return error
    names = [
        name
        for name, parameter in inspect.signature(verb).parameters.items()
        if name != "self" and parameter.kind is not inspect.Parameter.VAR_POSITIONAL
    ]
    wrong = match.group(1)
    meant = next((name for name in KEYWORDS.get(wrong, ()) if name in names), None)
    hint = (
        f"; did you mean {shown(meant)}?" if meant else did_you_mean(wrong, names) if names else ""
    )
    return TypeError(f"{error}{hint}")
