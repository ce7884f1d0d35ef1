"""Errors for names that a verb or class does not have: they say the right one."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Collection
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


def missing_name(module: str, name: str, public: str | None = None) -> Exception:
    """The error for a name that a public module does not have; called by its `__getattr__`.

    Args:
        module: the module.
        name: what it does not have.
        public: the module of whose names the suggestion is, where it hands on those of another.
    """
    our_name = ATTRIBUTES.get(public or module, {}).get(name)
    hint = f"; use {our_name}" if our_name else ""
    if hint and _is_from_import():  # which says nothing of the reason of an AttributeError
        return ImportError(f"cannot import name {shown(name)} from {shown(module)}{hint}")
    return AttributeError(f"module {shown(module)} has no attribute {shown(name)}{hint}")


def _is_from_import() -> bool:
    """Whether `from module import name` asks for the name; `hasattr` and others do not."""
    from opcode import opmap  # only needed for this error

    frame = sys._getframe(3)
    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]


def refuse_assignment(**uses: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: to set one of these names, which would store nothing, says what to write.

    Args:
        uses: what to write, by the name.
    """

    def decorate(cls: type[T]) -> type[T]:
        def set_attribute(self: object, name: str, value: object) -> None:
            if name in uses:
                message = f"{shown(cls.__name__)} object has no {name} to set; use {uses[name]}"
                raise AttributeError(message)
            object.__setattr__(self, name, value)

        setattr(cls, "__setattr__", set_attribute)  # noqa: B010  # mypy would take any name then
        return cls

    return decorate


def refuse_container(use: str, *, opened: bool = False) -> Callable[[type[T]], type[T]]:
    """Class decorator: `len`, indexing, `in`, iteration and `with` say what to write.

    Args:
        use: what to write.
        opened: whether its instances are to be opened by `with`.
    """

    def decorate(cls: type[T]) -> type[T]:
        def refuse(self: object, *_: object) -> None:
            name = _with_article(type(self).__name__)
            raise TypeError(f"{name} is no list or dict; use {use}")

        def refuse_with(self: object, *_: object) -> None:
            name = _with_article(type(self).__name__)
            raise TypeError(f"{name} is not opened or closed: what is added is stored at once")

        for verb in ("__getitem__", "__len__", "__delitem__"):  # iteration comes to the first one
            setattr(cls, verb, refuse)
        cls.__bool__ = lambda self: True  # type: ignore[attr-defined]  # which would ask for len
        for verb in () if opened else ("__enter__", "__exit__"):
            setattr(cls, verb, refuse_with)
        return cls

    return decorate


class _Absent:
    """Stands for an attribute that is not there, and says which is."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> object:
        if instance is None:
            message = f"type object {shown(owner.__name__)} has no attribute {shown(self._name)}"
            raise AttributeError(message)
        raise missing_attribute(instance, self._name)


def suggest_for_values(*classes: type) -> None:
    """Have values say what to write where an attribute or a key of theirs is not there.

    Name by name, since a `__getattr__` would slow down each attribute that is there.
    """

    def no_key(self: object, key: object) -> object:
        name = type(self).__name__
        raise TypeError(f"{_with_article(name)} is no dict: its fields are attributes")

    for cls in classes:
        absent_names = {name for name in ATTRIBUTES[cls.__name__] if not hasattr(cls, name)}
        for name in absent_names:
            setattr(cls, name, _Absent(name))
        setattr(cls, "__dir__", _dir_without(absent_names))  # noqa: B010  # mypy knows another
        if not issubclass(cls, list):
            setattr(cls, "__getitem__", no_key)  # noqa: B010


def _dir_without(names: Collection[str]) -> Callable[[object], list[str]]:
    return lambda self: [name for name in object.__dir__(self) if name not in names]


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def name_unknown_keywords(cls: type[T]) -> type[T]:
    """Class decorator: an unknown keyword of a verb is a `TypeError` that says the right one."""
    verb_by_name = {name: verb for name, verb in vars(cls).items() if not name.startswith("_")}
    for name, verb in verb_by_name.items():
        if inspect.isfunction(verb) and not inspect.iscoroutinefunction(verb):
            wrapped_verb = _naming_keywords(verb)
            setattr(cls, name, wrapped_verb)
            if getattr(verb_by_name.get(f"a{name}"), "__wrapped__", None) is verb:
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
