"""The list of a user's sessions as it was read: up to where, and what moved up in it lately.

A session moves up in it at most once a minute, so those that moved lately are read on each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from threadkeep.core.engine import Engine
from threadkeep.sessions import user_index
from threadkeep.types import Page, Query, Record
from threadkeep.types.versions import generation_of

PAGE: Final = 500
"""Entries that are read at once."""

_RECENT_SECONDS: Final = (
    2 * user_index.TOUCH_INTERVAL
)  # twice, since clocks of other processes may differ


class ListedSession(NamedTuple):
    """When a session moved up in its user's list, and to which seq."""

    at: float
    seq: int


class SessionList:
    """How far the list of a user's sessions was read; not thread-safe.

    Attributes:
        version: of the list, as first read; `None` = it was not read.
        last_seq: up to where it was read.
    """

    def __init__(self, engine: Engine, user: str) -> None:
        self._stream = engine.stream("sessions", user)
        self._moved_by_id: dict[str, ListedSession] = {}  # lately
        self.version: int | None = None
        self.last_seq = 0

    def version_query(self) -> Query:
        """Asks for the version alone."""
        return Query(self._stream, "session", limit=0)

    def newer_query(self) -> Query:
        """Asks for a page of what was not read yet."""
        return Query(self._stream, "session", after=self.last_seq or None, limit=PAGE)

    def older_query(self, before_seq: int | None) -> Query:
        """Asks for the page before a place, or for the newest one."""
        return Query(self._stream, "session", limit=PAGE, newest=True, before=before_seq)

    def is_same(self, page: Page) -> bool:
        """Whether a page is of the list that was read, and not of one made anew."""
        return generation_of(page.version) == generation_of(self.version or 0)

    def note(self, entries: Iterable[Record]) -> list[str]:
        """The sessions of entries of the list, newest first."""
        session_ids = []
        for list_entry in entries:
            session_ids.append(user_index.session_id_of(list_entry))
            self.last_seq = max(self.last_seq, list_entry.seq)
            self._moved_by_id[session_ids[-1]] = ListedSession(list_entry.at, list_entry.seq)
        return session_ids[::-1]

    def recently_moved(self, synced_at: float) -> list[str]:
        """The sessions that may be written to without moving; forgets the others."""
        self._moved_by_id = {
            session_id: listed_session
            for session_id, listed_session in self._moved_by_id.items()
            if listed_session.at >= synced_at - _RECENT_SECONDS
        }
        return list(self._moved_by_id)

    def settled_seq(self, synced_at: float) -> int:
        """Up to where it will not be looked at again."""
        seqs_before_moves = [
            listed_session.seq - 1
            for listed_session in self._moved_by_id.values()
            if listed_session.at >= synced_at - _RECENT_SECONDS
        ]
        return min([self.last_seq, *seqs_before_moves])
