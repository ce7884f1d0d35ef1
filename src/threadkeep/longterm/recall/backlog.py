"""The sessions of a user that were not read yet, which are read step by step, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.session_list import PAGE, SessionList
from threadkeep.longterm.recall.session_sync import SESSIONS_PER_READ, SessionSync
from threadkeep.types import MAX_SEQ, Page

_FIRST_SESSIONS: Final = 8  # that are read before it is known how long they are


class Backlog:
    """What of a user's list of sessions is still to be read; not thread-safe.

    Attributes:
        before_seq: where in the list reading stopped; `None` = nothing is to be read.
    """

    def __init__(
        self, engine: Engine, session_list: SessionList, sessions: SessionSync, index: RecallIndex
    ) -> None:
        self._engine = engine
        self._list = session_list
        self._sessions = sessions
        self._index = index
        self.before_seq: int | None = None

    def read_all(self, room: Callable[[], int]) -> None:
        """Read the sessions of the whole list, the one written last first.

        Args:
            room: how many more documents may be read; asked before each round trip.
        """
        self._read(None, room, lambda: None)

    def read_on(self, room: Callable[[], int], on_batch: Callable[[], None] = lambda: None) -> None:
        """Read on where reading stopped.

        Args:
            room: as of `read_all`.
            on_batch: called after each round trip.
        """
        if self.before_seq is not None and room() > 0:
            self._read(self.before_seq, room, on_batch)

    def _read(
        self, before_seq: int | None, room: Callable[[], int], on_batch: Callable[[], None]
    ) -> None:
        self.before_seq = MAX_SEQ if before_seq is None else before_seq
        while True:
            list_page = self._engine.read(self._list.older_query(before_seq))[0]
            if self._list.version is None:
                self._list.version = list_page.version
            if not self._read_page(list_page, room, on_batch):
                return
            before_seq = self.before_seq = _older_seq(list_page)
            if before_seq is None:
                return

    def _read_page(
        self, list_page: Page, room: Callable[[], int], on_batch: Callable[[], None]
    ) -> bool:
        """Read the sessions of a page of the list; whether there was room for all."""
        session_ids = self._list.note(list_page.records)
        while session_ids:
            document_room = room()
            if document_room <= 0:
                self.before_seq = list_page.records[-1].seq + 1
                return False
            batch_size = self._sessions_within(document_room)
            self._sessions.read(session_ids[:batch_size])
            del session_ids[:batch_size]
            if not session_ids:  # before a segment is built, which notes how far it was read
                self.before_seq = _older_seq(list_page)
            on_batch()
        return True

    def _sessions_within(self, documents: int) -> int:
        """How many sessions to read at once so that they have no more than so many documents."""
        if not self._sessions.count:
            return _FIRST_SESSIONS
        mean_length = max(1.0, self._index.live_count / self._sessions.count)
        return max(1, min(SESSIONS_PER_READ, int(documents / mean_length)))


def _older_seq(list_page: Page) -> int | None:
    """Before which seq the page after this one lies; `None` = it is the last."""
    return list_page.records[0].seq if len(list_page.records) >= PAGE else None
