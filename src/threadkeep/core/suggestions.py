"""Errors for attributes that a class does not have: they say the right one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import TypeVar

from threadkeep.core.peer_names import ATTRIBUTES
from threadkeep.printable import shown

T = TypeVar("T")


def missing_attribute(instance: object, name: str) -> AttributeError:
    """The error for an attribute that a public object does not have."""
    cls = type(instance)
    error_text = f"{shown(cls.__name__)} object has no attribute {shown(name)}"
    if name.startswith("_"):
        return AttributeError(error_text, name=name, obj=instance)
    for base_class in cls.__mro__:  # an application may have a subclass
        our_names = ATTRIBUTES.get(base_class.__name__, {})
        if our_name := our_names.get(name) or our_names.get(name.removeprefix("a")):
            return AttributeError(f"{error_text}; use {our_name}")
    return AttributeError(error_text, name=name, obj=instance)  # Python itself proposes a near one


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
                error_text = f"{shown(cls.__name__)} object has no {name} to set; use {uses[name]}"
                raise AttributeError(error_text)
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
            class_phrase = _with_article(type(self).__name__)
            raise TypeError(f"{class_phrase} is not a list or dict; use {use}")

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
            error_text = f"type object {shown(owner.__name__)} has no attribute {shown(self._name)}"
            raise AttributeError(error_text)
        raise missing_attribute(instance, self._name)


def suggest_for_values(*classes: type) -> None:
    """Have values say what to write where an attribute or a key of theirs is not there.

    Name by name, since a `__getattr__` would slow down each attribute that is there.
    """

    def no_key(self: object, key: object) -> object:
        class_name = type(self).__name__
        raise TypeError(f"{_with_article(class_name)} is not a dict: its fields are attributes")

    for cls in classes:
        absent_names = {name for name in ATTRIBUTES[cls.__name__] if not hasattr(cls, name)}
        for absent_name in absent_names:
            setattr(cls, absent_name, _Absent(absent_name))
        setattr(cls, "__dir__", _dir_without(absent_names))  # noqa: B010  # mypy knows another
        if not issubclass(cls, list):
            setattr(cls, "__getitem__", no_key)  # noqa: B010


def _dir_without(names: Collection[str]) -> Callable[[object], list[str]]:
    return lambda self: [name for name in object.__dir__(self) if name not in names]


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def name_unknown_attributes(cls: type[T]) -> type[T]:
    """Class decorator: an attribute that is not there says which is; type checkers see none."""

    def get_attribute(self: object, name: str) -> object:
        raise missing_attribute(self, name)

    setattr(cls, "__getattr__", get_attribute)  # noqa: B010  # mypy would take any name then
    return cls
