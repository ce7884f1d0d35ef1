"""Constructors and verbs that the frameworks' own classes have: the error says what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from threadkeep.printable import shown

T = TypeVar("T")


class _Absent:
    """Stands for an attribute that is not there, of the class and of its instances."""

    def __init__(self, name: str, use: str) -> None:
        self._name = name
        self._use = use

    def __get__(self, instance: object, owner: type) -> NoReturn:
        message = f"{shown(owner.__name__)} has no attribute {shown(self._name)}; use {self._use}"
        raise AttributeError(message)


def say_instead(**uses: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: asking for one of these attributes says what to write.

    Args:
        uses: what to write, by the name of the attribute.
    """

    def decorate(cls: type[T]) -> type[T]:
        for attribute_name, use in uses.items():
            setattr(cls, attribute_name, _Absent(attribute_name, use))
        return cls

    return decorate
