"""`Branch`: one of the ways a session was continued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAIN: Final = "main"
"""The branch that a session begins with."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A named continuation of a session.

    Attributes:
        name: unique in its session; the one that a session begins with is `main`.
        parent: the branch that it leaves; `None` for `main`.
        at: the id of the item of its parent that it begins behind; `None` = before all items.
        is_shown: whether it is the one that windows and listings show, and that `add` continues.
    """

    name: str
    parent: str | None = None
    at: str | None = None
    is_shown: bool = False
