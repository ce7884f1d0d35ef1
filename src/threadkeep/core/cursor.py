"""Decodes cursors of listings strictly, since they come back from browsers."""

from __future__ import annotations

from typing import Any

from threadkeep.core import names
from threadkeep.errors import InputError
from threadkeep.types import MAX_SEQ


def invalid() -> InputError:
    """The error for an invalid cursor; it does not repeat the value."""
    return InputError(
        "cursor: not a cursor of this listing; pass the `.cursor` of the page before, as it was, "
        "to the same call, or None to begin"
    )


def position(cursor: object) -> int:
    """A seq, as the cursors of one user's listings have it.

    Raises:
        InputError: it is not one.
    """
    if type(cursor) is not int or not 0 <= cursor <= MAX_SEQ:
        raise invalid()
    return cursor


def stream(cursor: object, prefix: str) -> str:
    """A stream's name under a prefix, the cursor of stores that list streams in order.

    Raises:
        InputError: it is not one.
    """
    if (
        not isinstance(cursor, str)
        or not cursor.startswith(prefix)
        or not names.is_storable(cursor)
    ):
        raise invalid()
    return cursor


def parts(cursor: object, count: int) -> list[Any]:
    """The parts of a compound cursor, not decoded yet.

    Raises:
        InputError: it has another number of parts.
    """
    if not isinstance(cursor, (list, tuple)) or len(cursor) != count:
        raise invalid()
    return list(cursor)


def text(cursor: object) -> str:
    """A part that is an id.

    Raises:
        InputError: it is not a str.
    """
    if not isinstance(cursor, str):
        raise invalid()
    return cursor
