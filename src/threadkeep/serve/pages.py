"""Query parameters of listings, and the bodies of pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import HTTPConnection

from threadkeep.errors import InputError
from threadkeep.serve.errors import ApiError

_MAX_CURSOR: Final = 4_096


def limit_of(connection: HTTPConnection, default: int = 20, maximum: int = 100) -> int:
    """The parameter `limit`.

    Raises:
        ApiError: 400: it is no number from 1 to `maximum`.
    """
    text = connection.query_params.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= maximum):
        raise ApiError(400, f"limit must be a number from 1 to {maximum}", param="limit")
    return int(text)


def item_page(entries: Sequence[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    """The body of a page whose entries have ids: `{"object": "list", "data", ...}`."""
    return {
        "object": "list",
        "data": list(entries),
        "first_id": entries[0]["id"] if entries else None,
        "last_id": entries[-1]["id"] if entries else None,
        "has_more": has_more,
    }


def cursor_page(data: Sequence[dict[str, Any]], cursor: Any) -> dict[str, Any]:
    """The body of a page with a `cursor` for the next one."""
    next_cursor = None if cursor is None else encode_cursor(cursor)
    return {
        "object": "list",
        "data": list(data),
        "has_more": cursor is not None,
        "cursor": next_cursor,
    }


def encode_cursor(cursor: Any) -> str:
    """A cursor as text for a URL."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")


def cursor_of(connection: HTTPConnection) -> Any:
    """The parameter `cursor`, decoded; the listing itself judges what it says.

    Raises:
        InputError: it is no cursor.
    """
    cursor_text = connection.query_params.get("cursor")
    if cursor_text is None:
        return None
    try:
        if len(cursor_text) > _MAX_CURSOR:
            raise ValueError
        return json.loads(base64.urlsafe_b64decode(cursor_text + "=" * (-len(cursor_text) % 4)))
    except (ValueError, RecursionError) as error:
        raise InputError("cursor: not a cursor of this listing") from error
