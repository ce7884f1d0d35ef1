"""A page of sessions, or of those that a search finds: it looks at so many and says where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.types import SessionInfo
from threadkeep.types.timestamps import parse_time

PAGE: Final = 50
MAX_LOOKED_AT: Final = 2_000
"""Sessions that one page of a search looks at; its link goes on behind them."""

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Search:
    """What a session must have.

    Attributes:
        words: all of them in its id, owner, agent, title or metadata; the case does not matter.
        since: written to then or later.
        until: begun before.
    """

    words: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.words or self.since or self.until)

    def matches(self, info: SessionInfo) -> bool:
        """Return True if a session has it."""
        if self.since is not None and (info.updated_at is None or info.updated_at < self.since):
            return False
        if self.until is not None and (info.created_at is None or info.created_at >= self.until):
            return False
        if not self.words:
            return True
        searched_fields = (info.id, info.user, info.agent, info.title, str(info.metadata or ""))
        searched_text = " ".join(filter(None, searched_fields)).casefold()
        return all(word in searched_text for word in self.words)


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions for one page.

    Attributes:
        sessions: what was found.
        cursor: where the next page goes on; `None` = that was all.
        looked_at: how many sessions were looked at.
    """

    sessions: list[SessionInfo]
    cursor: Any
    looked_at: int


def parse_search(text: str, since: str, until: str) -> Search:
    """The search of three fields of a form.

    Raises:
        InputError: a date is none; it is named.
    """
    return Search(
        tuple(text.casefold().split()),
        parse_time(since, "since") if since else None,
        parse_time(until, "until") if until else None,
    )


def find_sessions(memory: Memory, user: str | None, search: Search, cursor: Any) -> SessionPage:
    """A page of a user's sessions, the latest written first; without a user, in the store's order.

    Raises:
        InputError: the cursor is none.
    """
    if not search:
        session_page = memory.sessions(user=user, limit=PAGE, cursor=cursor)
        return SessionPage(list(session_page), session_page.cursor, len(session_page))
    matches: list[SessionInfo] = []
    looked_at, limit = 0, PAGE  # small at first: what matches nearly always fills a page at once
    while len(matches) < PAGE and looked_at < MAX_LOOKED_AT:
        batch = memory.sessions(user=user, limit=limit, cursor=cursor)
        matches += filter(search.matches, batch)
        looked_at, cursor, limit = looked_at + len(batch), batch.cursor, min(2 * limit, _BATCH)
        if cursor is None:
            break
    return SessionPage(matches, cursor, looked_at)
