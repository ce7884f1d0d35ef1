"""One user's index, kept in step with the store: one round trip if nothing happened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from threadkeep.core import write_counts
from threadkeep.core.engine import Engine
from threadkeep.longterm.recall import lost_items
from threadkeep.longterm.recall.backlog import Backlog
from threadkeep.longterm.recall.fact_sync import FactSync
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments import damage, loader
from threadkeep.longterm.recall.segments.reader import SegmentReader
from threadkeep.longterm.recall.session_list import PAGE as LIST_PAGE
from threadkeep.longterm.recall.session_list import SessionList
from threadkeep.longterm.recall.session_sync import SESSIONS_PER_READ, SessionSync
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import Heads
from threadkeep.types import MAX_COUNT

MAX_DOCUMENTS: Final = 100_000
"""Documents of one user that are in no segment; of more, the newest are found."""
MAX_READ: Final = 20_000
"""Documents in no segment that one question reads, about: whole sessions, the newest first."""

MIN_ITEMS: Final = 500
"""Items of a user below which nothing is kept: they are read in no time."""


class Outdated(Exception):
    """What is in memory is not what the store has: it is to be read anew."""


class SyncedIndex:
    """The index of one user; not thread-safe.

    Attributes:
        user: whose it is.
        reader: of the segments that are kept of it.
        heads: those that are known of.
        documents_by_segment: those that are in each of them.
        index: what is searched.
        sessions: what was read.
        facts: those that hold, which are not kept with the rest.
    """

    def __init__(
        self,
        engine: Engine,
        user: str,
        *,
        max_documents: int = MAX_DOCUMENTS,
        max_read: int = MAX_READ,
        trims: bool = True,
    ) -> None:
        self._engine = engine
        self.user = user
        self._max_documents = max_documents
        self._max_read = max_read
        self._trims = trims
        self._warned = False
        self._uses_segments = True
        self._due_items = 0
        self._reset()

    def _reset(self) -> None:
        self.index = RecallIndex()
        self.sessions = SessionSync(self._engine, self.user, self.index)
        self.facts = FactSync(self._engine, self.user, self.index)
        self.reader = SegmentReader(self._engine, self.user)
        self.heads = Heads(0, [], [], [])
        self.documents_by_segment: dict[str, Sequence[int]] = {}
        self._list = SessionList(self._engine, self.user)
        self._backlog = Backlog(self._engine, self._list, self.sessions, self.index)
        self._trimmed = False
        self._synced_at = 0.0

    def sync(self, *, facts: bool = True) -> None:
        """Read what is new; of facts too, which are not kept with the rest."""
        sync_time = self._engine.now()
        if self._list.version is None or self.index.crowded:
            self._rebuild()
        else:
            self._read_changes()
            if self._trims:
                self._backlog.read_on(self._room())
        self._synced_at = sync_time
        if facts:
            self.facts.sync()
        excess_count = self.index.live_count - self._max_documents
        if excess_count > self._max_documents // 10 and self._trims and not self.heads.segments:
            self.index.remove(self.index.oldest(excess_count))
            self._trimmed = True
        self._warn_incomplete()

    @property
    def complete(self) -> bool:
        """Whether all that the user said is in the index."""
        return self._backlog.before_seq is None and not self._trimmed

    @property
    def saved_count(self) -> int:
        """How many items are in segments, about."""
        return sum(map(len, self.documents_by_segment.values()))

    @property
    def unsaved_count(self) -> int:
        """How many items are in no segment, about."""
        return self.index.live_count - len(self.facts) - self.saved_count

    def is_due(self) -> bool:
        """Whether so much is not kept yet that it should be; said once of the same items."""
        item_count = self.index.live_count - len(self.facts)
        new_count = item_count - max(self._due_items, self.saved_count)
        if new_count < write_counts.due_after(self.saved_count) or item_count < MIN_ITEMS:
            return False
        self._due_items = item_count
        return True

    def drop_damaged(self, piece: str) -> None:
        """Drop the segment of a piece that is gone or damaged, and read all anew."""
        damage.drop(self._engine, self.user, self.heads, piece)
        self.reload()

    def ignore_segments(self) -> None:
        """Read all anew without the kept index, of which something is always wrong."""
        self._uses_segments = False
        self.reload()

    def reload(self) -> None:
        """Read everything anew at the next question."""
        self._reset()

    def read_rest(self, on_batch: Callable[[], None]) -> None:
        """Read what is beyond the limit of what a question reads, all of it.

        Args:
            on_batch: called after each round trip.

        Raises:
            Outdated: `on_batch` had all read anew.
        """
        recall_index = self.index

        def next_batch() -> None:
            on_batch()
            if self.index is not recall_index:
                raise Outdated

        self._backlog.read_on(lambda: MAX_COUNT - self.unsaved_count, next_batch)

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        return self.index.nbytes + self.reader.nbytes

    def prepare(self, stems: Iterable[str]) -> None:
        """Read what is kept of some stems, each in one round trip.

        Raises:
            BadPiece: a part of it is gone, or damaged.
        """
        for stem in stems if self.index.blocks else ():
            self.reader.prefetch(self.index.blocks, [stem])
            self.index.lookup([stem])

    @property
    def list_version(self) -> int:
        """Of the user's list, as first read."""
        return self._list.version or 0

    @property
    def list_seq(self) -> int:
        """Up to where the list was read, and will not be looked at again; 0 = not to its end.

        A session that moved up lately may be written to without moving again.
        """
        if self._backlog.before_seq is not None:
            return 0
        return self._list.settled_seq(self._synced_at)

    def _rebuild(self) -> None:
        """Load what is kept and read the rest; or, cut short, be as if nothing had been read."""
        self._reset()
        try:
            if self._load_segments() and self._list.last_seq:
                self._read_changes()
            else:
                self._backlog.read_all(self._room())
        except BaseException:
            self._reset()
            raise

    def _load_segments(self) -> bool:
        """Load the kept index, and read again what it has lost; whether there is one."""
        if not self._uses_segments:
            return False
        list_page, *segment_pages = self._engine.read(
            self._list.version_query(), *recall_segments.queries(self._engine, self.user)
        )
        self.heads = recall_segments.parse(segment_pages[0], segment_pages[1])
        loaded_segments = loader.load(self.reader, self.index, self.heads, list_page.version)
        if loaded_segments is None:
            return False
        damage.log(self._engine, self.heads, loaded_segments.damaged)
        complete_heads = [
            head for head in (*self.heads.segments, *self.heads.gaps) if head.complete
        ]
        for head in complete_heads:
            self.sessions.resume(head.spans)
        self.documents_by_segment = loaded_segments.documents_by_segment
        for head in (*loaded_segments.damaged, *loaded_segments.unread, *self.heads.gaps):
            lost_items.read_again(self._engine, self.sessions, self.index, head.spans)
        self._list.version = list_page.version
        self._list.last_seq = max(head.list_seq for head in complete_heads)
        return True

    def _room(self) -> Callable[[], int]:
        """How many more documents one question reads, asked while it reads."""
        max_documents = min(self._max_documents, self.unsaved_count + self._max_read)
        return lambda: max_documents - self.unsaved_count

    def _warn_incomplete(self) -> None:
        """Say once that not all is searched; `Hits.complete` says it of each question."""
        if self._trims and not self.complete and not self._warned:
            self._warned = True
            _log.warning(
                "recall searched the newest %d items of a user, of whom more are in no index yet: "
                "the next questions of this process read on, memory.index() reads all",
                self.index.live_count,
            )

    def _read_changes(self) -> None:
        """What was written to since: sessions that moved, and those that could without moving."""
        recent_session_ids = self._list.recently_moved(self._synced_at)
        batch_ids = recent_session_ids[-SESSIONS_PER_READ:]
        list_page, *session_pages = self._engine.read(
            self._list.newer_query(),
            *(query for session_id in batch_ids for query in self.sessions.queries(session_id)),
        )
        if not self._list.is_same(list_page):
            return self._rebuild()
        unfinished_ids = self.sessions.apply(batch_ids, session_pages)
        listed_ids = self._list.note(list_page.records)
        self.sessions.read([*unfinished_ids, *listed_ids, *recent_session_ids[:-SESSIONS_PER_READ]])
        return self._read_changes() if len(list_page.records) >= LIST_PAGE else None


_log = logging.getLogger("threadkeep")
