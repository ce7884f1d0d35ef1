"""One user's index, kept in step with the store: one round trip if nothing happened.

The user's list says which sessions were written to; but a session moves up in it at most once a
minute, so those that moved lately are read on each time.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.fact_sync import FactSync
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments.reader import SegmentReader
from threadkeep.longterm.recall.session_sync import SESSIONS_PER_READ, SessionSync
from threadkeep.sessions import recall_segments, user_index
from threadkeep.sessions.recall_segments import Heads, SegmentHead
from threadkeep.types import MAX_COUNT, MAX_SEQ, Query, Record
from threadkeep.types.versions import generation_of

MAX_DOCUMENTS: Final = 100_000
"""Documents of one user that are in no segment; of more, the newest are found."""
MAX_READ: Final = 20_000
"""Documents in no segment that one question reads, about: whole sessions, the newest first."""

_RECENT_SECONDS: Final = (
    2 * user_index.TOUCH_INTERVAL
)  # twice, since clocks of other processes may differ
_LIST_PAGE: Final = 500
_FIRST_SESSIONS: Final = 8  # that are read before it is known how long they are

MIN_ITEMS: Final = 500
"""Items of a user below which nothing is kept: they are read in no time."""
MIN_UNSAVED: Final = 64
"""Items that are not kept from which on they should be."""


class Outdated(Exception):
    """What is in memory is not what the store has: it is to be read anew."""


class ListedSession(NamedTuple):
    """When a session moved up in its user's list, and to which seq."""

    at: float
    seq: int


class SyncedIndex:
    """The index of one user; not thread-safe.

    Attributes:
        user: whose it is.
        reader: of the segments that are kept of it.
        heads: those that are known of.
        stored: the documents that are in each of them.
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
        self._list_stream = engine.stream("sessions", user)
        self._reset()

    def _reset(self) -> None:
        self.index = RecallIndex()
        self.sessions = SessionSync(self._engine, self.user, self.index)
        self.facts = FactSync(self._engine, self.user, self.index)
        self.reader = SegmentReader(self._engine, self.user)
        self.heads = Heads(0, [], [], [])
        self.stored: dict[str, Sequence[int]] = {}
        self._unread_before: int | None = None  # in the user's list, where reading stopped
        self._trimmed = False
        self._list_version: int | None = None  # version of the user's list
        self._last_seq = 0  # seq in the user's list
        self._moved: dict[str, ListedSession] = {}  # lately
        self._synced_at = 0.0

    def sync(self, *, facts: bool = True) -> None:
        """Read what is new; of facts too, which are not kept with the rest."""
        sync_time = self._engine.now()
        if self._list_version is None or self.index.crowded:
            self._rebuild()
        else:
            self._read_changes()
            self._read_on()
        self._synced_at = sync_time
        if facts:
            self.facts.sync()
        excess_count = self.index.live_count - self._max_documents
        if excess_count > self._max_documents // 10 and self._trims and not self.heads.segments:
            self.index.remove(self._oldest_documents(excess_count))
            self._trimmed = True
        self._warn_incomplete()

    @property
    def complete(self) -> bool:
        """Whether all that the user said is in the index."""
        return self._unread_before is None and not self._trimmed

    @property
    def unsaved_count(self) -> int:
        """How many items are in no segment, about."""
        stored_count = sum(map(len, self.stored.values()))
        return self.index.live_count - len(self.facts) - stored_count

    def is_due(self) -> bool:
        """Whether so much is not kept yet that it should be; said once of the same items."""
        item_count = self.index.live_count - len(self.facts)
        saved_or_due_count = max(self._due_items, item_count - self.unsaved_count)
        if item_count - saved_or_due_count < MIN_UNSAVED or item_count < MIN_ITEMS:
            return False
        self._due_items = item_count
        return True

    def drop_damaged(self, piece: str) -> None:
        """Drop the segment of a piece that is gone or damaged, and read all anew."""
        segment_id = piece.partition(".")[0]
        stored_heads = recall_segments.read(self._engine, self.user)
        damaged_heads = [head for head in stored_heads.segments if head.id == segment_id]
        if damaged_heads:
            with suppress(Conflict):
                recall_segments.drop(self._engine, self.user, stored_heads, damaged_heads)
                self._note_loss(damaged_heads)
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
        if self._unread_before is None:
            return
        index = self.index

        def next_batch() -> None:
            on_batch()
            if self.index is not index:
                raise Outdated

        self._read_older(self._unread_before, limit=MAX_COUNT, on_batch=next_batch)

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
        return self._list_version or 0

    @property
    def list_seq(self) -> int:
        """Up to where the list was read, and will not be looked at again; 0 = not to its end.

        A session that moved up lately may be written to without moving again.
        """
        if self._unread_before is not None:
            return 0
        recent_start = self._synced_at - _RECENT_SECONDS
        seqs_before_moves = [
            listed_session.seq - 1
            for listed_session in self._moved.values()
            if listed_session.at >= recent_start
        ]
        return min([self._last_seq, *seqs_before_moves])

    def _rebuild(self) -> None:
        """Load what is kept and read the rest; or, cut short, be as if nothing had been read."""
        self._reset()
        try:
            if self._load_segments() and self._last_seq:
                self._read_changes()
            else:
                self._read_all()
        except BaseException:
            self._reset()
            raise

    def _load_segments(self) -> bool:
        """Load the kept index, and read again what it has lost; whether there is one."""
        if not self._uses_segments:
            return False
        session_list_query = Query(self._list_stream, "session", limit=0)
        session_list_page, *segment_pages = self._engine.read(
            session_list_query, *recall_segments.queries(self._engine, self.user)
        )
        self.heads = recall_segments.parse(segment_pages[0], segment_pages[1])
        all_heads = [*self.heads.segments, *self.heads.gaps]
        readable_heads = [
            head for head in self.heads.segments if _is_readable(head, session_list_page.version)
        ]
        if not readable_heads:
            return False
        unreadable_heads = [
            head for head in self.heads.segments if head.complete and head not in readable_heads
        ]
        failed_heads = self.reader.load(self.index, readable_heads)
        self._note_loss(failed_heads)
        for head in all_heads:
            if head.complete:
                self.sessions.resume(head.spans)
        self.stored = _ranges([head for head in readable_heads if head not in failed_heads])
        for head in (*failed_heads, *unreadable_heads, *self.heads.gaps):
            self.sessions.read_again(head.spans.items())
        self._list_version = session_list_page.version
        self._last_seq = max(head.list_seq for head in all_heads if head.complete)
        return True

    def _note_loss(self, failed: Sequence[SegmentHead]) -> None:
        """Say that segments cannot be read, unless their time was over."""
        if failed and self._engine.settings.ttl is None:
            _log.warning(
                "%d of %d segments of a user's kept index are damaged: their items are read again, "
                "and indexed anew",
                len(failed),
                len(self.heads.segments),
            )

    def _read_all(self) -> None:
        """The sessions of the user's list, the one written last first, up to the limit."""
        self._read_older(None, limit=self._next_limit())

    def _read_on(self) -> None:
        """Read on where the question before had read as much as one reads."""
        limit = self._next_limit()
        if self._unread_before is not None and self._trims and self.unsaved_count < limit:
            self._read_older(self._unread_before, limit=limit)

    def _next_limit(self) -> int:
        return min(self._max_documents, self.unsaved_count + self._max_read)

    def _read_older(
        self, before_seq: int | None, *, limit: int, on_batch: Callable[[], None] = lambda: None
    ) -> None:
        """The sessions behind a place in the user's list, the newest first, up to the limit."""
        self._unread_before = MAX_SEQ if before_seq is None else before_seq
        while True:
            list_query = Query(
                self._list_stream, "session", limit=_LIST_PAGE, newest=True, before=before_seq
            )
            list_page = self._engine.read(list_query)[0]
            self._list_version = (
                list_page.version if self._list_version is None else self._list_version
            )
            session_ids = self._note_entries(list_page.records)
            next_before = list_page.records[0].seq if len(list_page.records) >= _LIST_PAGE else None
            while session_ids:
                if self.unsaved_count >= limit:
                    self._unread_before = list_page.records[-1].seq + 1
                    return
                batch_size = self._sessions_within(limit - self.unsaved_count)
                self.sessions.read(session_ids[:batch_size])
                del session_ids[:batch_size]
                if not session_ids:  # before a segment is built, which notes how far it was read
                    self._unread_before = next_before
                on_batch()
            before_seq = self._unread_before = next_before
            if before_seq is None:
                return

    def _sessions_within(self, documents: int) -> int:
        """How many sessions to read at once so that they have no more than so many documents."""
        if not self.sessions.count:
            return _FIRST_SESSIONS
        mean_length = max(1.0, self.index.live_count / self.sessions.count)
        return max(1, min(SESSIONS_PER_READ, int(documents / mean_length)))

    def _warn_incomplete(self) -> None:
        """Say once that not all is searched; `Hits.complete` says it of each question."""
        if self._trims and not self.complete and not self._warned:
            self._warned = True
            _log.warning(
                "recall searched the newest %d items of a user, of whom more are in no index yet: "
                "the next questions read on, memory.index() reads all",
                self.index.live_count,
            )

    def _read_changes(self) -> None:
        """What was written to since: sessions that moved, and those that could without moving."""
        recent_start = self._synced_at - _RECENT_SECONDS
        self._moved = {
            session_id: listed_session
            for session_id, listed_session in self._moved.items()
            if listed_session.at >= recent_start
        }
        recent_session_ids = list(self._moved)[-SESSIONS_PER_READ:]
        list_page, *session_pages = self._engine.read(
            Query(self._list_stream, "session", after=self._last_seq or None, limit=_LIST_PAGE),
            *(
                query
                for session_id in recent_session_ids
                for query in self.sessions.queries(session_id)
            ),
        )
        if list_page.version >> 20 != (self._list_version or 0) >> 20:
            return self._rebuild()
        unfinished_ids = self.sessions.apply(recent_session_ids, session_pages)
        unread_session_ids = [
            session_id for session_id in self._moved if session_id not in set(recent_session_ids)
        ]
        self.sessions.read(
            [*unfinished_ids, *self._note_entries(list_page.records), *unread_session_ids]
        )
        return self._read_changes() if len(list_page.records) >= _LIST_PAGE else None

    def _note_entries(self, entries: Iterable[Record]) -> list[str]:
        """The sessions of entries of the list, newest first."""
        session_ids = []
        for list_entry in entries:
            session_ids.append(user_index.session_id_of(list_entry))
            self._last_seq = max(self._last_seq, list_entry.seq)
            self._moved[session_ids[-1]] = ListedSession(list_entry.at, list_entry.seq)
        return session_ids[::-1]

    def _oldest_documents(self, count: int) -> list[int]:
        index = self.index
        live_documents = (
            document_number for document_number in range(len(index)) if index.alive[document_number]
        )
        return heapq.nsmallest(
            count,
            live_documents,
            key=lambda document_number: (index.times[document_number], document_number),
        )


def _is_readable(head: SegmentHead, list_version: int) -> bool:
    """Whether a segment is whole, of this way to take words apart, and of this list of sessions."""
    same_list = generation_of(head.list_version) == generation_of(list_version)
    return head.complete and head.analysis == analyzer.VERSION and same_list


def _ranges(heads: Iterable[SegmentHead]) -> dict[str, Sequence[int]]:
    """The documents of segments that were loaded one after the other."""
    document_ranges: dict[str, Sequence[int]] = {}
    first_document = 0
    for head in heads:
        document_ranges[head.id] = range(first_document, first_document + head.documents)
        first_document += head.documents
    return document_ranges


_log = logging.getLogger("threadkeep")
