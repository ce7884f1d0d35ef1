"""Cursors: where a listing goes on. Browsers have them in hand, so each is decoded by its shape."""

from __future__ import annotations

from typing import Any

from threadkeep.core import names
from threadkeep.errors import InputError
from threadkeep.types import LAST


def invalid() -> InputError:
    """The error for whatever is no cursor; it does not repeat what came."""
    return InputError(
        "cursor: this is none of this listing; pass the `.cursor` of the page before, as it was, "
        "to the same call, or None to begin"
    )


def place(cursor: object) -> int:
    """A place in a stream, as listings of one user have it.

    Raises:
        InputError: it is none.
    """
    if type(cursor) is not int or not 0 <= cursor <= LAST:
        raise invalid()
    return cursor


def stream(cursor: object, prefix: str) -> str:
    """The name of a stream below a prefix, as stores have it that list streams in order.

    Raises:
        InputError: it is none.
    """
    if not isinstance(cursor, str) or not cursor.startswith(prefix) or not names.storable(cursor):
        raise invalid()
    return cursor


def parts(cursor: object, count: int) -> list[Any]:
    """The parts of a cursor that has several, still to be decoded.

    Raises:
        InputError: it has others.
    """
    if not isinstance(cursor, (list, tuple)) or len(cursor) != count:
        raise invalid()
    return list(cursor)


def text(cursor: object) -> str:
    """A part that is an id.

    Raises:
        InputError: it is none.
    """
    if not isinstance(cursor, str):
        raise invalid()
    return cursor
