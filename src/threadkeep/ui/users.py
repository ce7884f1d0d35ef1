"""A page of users: those who have sessions, then those of whom only facts are known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from threadkeep.api.memory import Memory
from threadkeep.core import cursor as cursors
from threadkeep.core.engine import Engine
from threadkeep.errors import InputError
from threadkeep.longterm.known_users import known_users
from threadkeep.sessions import user_index
from threadkeep.types import Listing, Query
from threadkeep.types.timestamps import utc_datetime

PAGE: Final = 50
_WITH_SESSIONS, _KNOWN = 0, 1


class UserRow(NamedTuple):
    """A user, and when one of their sessions was written to last, to about a minute."""

    id: str
    written_at: datetime | None


def find_users(memory: Memory, cursor: Any = None) -> Listing[UserRow]:
    """A page of users, in the store's order; its size is approximate.

    Raises:
        InputError: the cursor is none.
    """
    engine = memory._engine
    listing_part, start = (_WITH_SESSIONS, None) if cursor is None else cursors.parts(cursor, 2)
    if listing_part == _WITH_SESSIONS:
        page = user_index.users(engine, PAGE, start)
        next_cursor = [_KNOWN, None] if page.cursor is None else [_WITH_SESSIONS, page.cursor]
        return Listing(_rows(engine, page), cursor=next_cursor)
    if listing_part != _KNOWN:
        raise InputError("cursor: not a cursor of this listing")
    user_ids, start = known_users(engine, start, PAGE)
    rows = [row for row in _rows(engine, user_ids) if row.written_at is None]
    return Listing(rows, cursor=None if start is None else [_KNOWN, start])


def _rows(engine: Engine, users: Sequence[str]) -> list[UserRow]:
    """The rows of users, in one round trip."""
    queries = [
        Query(engine.stream("sessions", user), "session", limit=1, newest=True) for user in users
    ]
    pages = engine.read(*queries) if queries else []
    return [
        UserRow(user, utc_datetime(page.records[0].at) if page.records else None)
        for user, page in zip(users, pages, strict=True)
    ]
