"""One user's index, kept in step with the store: one round trip if nothing happened.

The user's list says which sessions were written to; but a session moves up in it at most once a
minute, so those that moved lately are read on each time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.analyzer import FACT, FACT_PREFIX
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.session_sync import SESSIONS_PER_READ, SessionSync
from threadkeep.longterm.store.codec import read_fact
from threadkeep.longterm.store.validity import is_current
from threadkeep.sessions import user_index
from threadkeep.types import Page, Query, Record
from threadkeep.types.knowledge import Fact

MAX_DOCUMENTS: Final = 100_000
"""Documents of one user; of more, the newest are found."""

_RECENT_SECONDS: Final = (
    2 * user_index.TOUCH_INTERVAL
)  # twice, since clocks of other processes may differ
_LIST_PAGE: Final = 500


class SyncedIndex:
    """The index of one user; not thread-safe.

    Attributes:
        facts_stream: the stream of the user's facts.
        index: what is searched.
        sessions: what was read.
    """

    def __init__(self, engine: Engine, user: str, *, max_documents: int = MAX_DOCUMENTS) -> None:
        self._engine = engine
        self._user = user
        self._max_documents = max_documents
        self._list_stream = engine.stream("sessions", user)
        self.facts_stream = engine.longterm.stream("user", user)
        self._reset()

    def _reset(self) -> None:
        self.index = RecallIndex()
        self.sessions = SessionSync(self._engine, self._user, self.index)
        self._list_version: int | None = None  # version of the user's list
        self._last_seq = 0  # seq in the user's list
        self._moved_at: dict[str, float] = {}  # by session
        self._synced_at = 0.0
        self._facts_version = -1  # version of the facts
        self._facts: dict[str, Fact] = {}

    def sync(self) -> None:
        """Read what is new."""
        now = self._engine.now()
        if self._list_version is None:
            self._rebuild()
        else:
            self._read_changes()
        self._synced_at = now
        self._sync_facts()
        over = self.index.live_count - self._max_documents
        if over > self._max_documents // 10:
            self.index.remove(self._oldest_documents(over))

    def _rebuild(self) -> None:
        """Read everything; or, cut short, be as if nothing had been read."""
        self._reset()
        try:
            self._read_all()
        except BaseException:
            self._reset()
            raise

    def _read_all(self) -> None:
        """The sessions of the user's list, the one written last first, up to the limit."""
        before: int | None = None
        while True:
            query = Query(
                self._list_stream, "session", limit=_LIST_PAGE, newest=True, before=before
            )
            page = self._engine.read(query)[0]
            self._list_version = page.version if self._list_version is None else self._list_version
            ids = self._note_entries(page.records)
            for start in range(0, len(ids), SESSIONS_PER_READ):
                if self.index.live_count < self._max_documents:
                    self.sessions.read(ids[start : start + SESSIONS_PER_READ])
            if len(page.records) < _LIST_PAGE or self.index.live_count >= self._max_documents:
                return
            before = page.records[0].seq

    def _read_changes(self) -> None:
        """What was written to since: sessions that moved, and those that could without moving."""
        since = self._synced_at - _RECENT_SECONDS
        self._moved_at = {
            id: moved_at for id, moved_at in self._moved_at.items() if moved_at >= since
        }
        warm = list(self._moved_at)[-SESSIONS_PER_READ:]
        listed, *pages = self._engine.read(
            Query(self._list_stream, "session", after=self._last_seq or None, limit=_LIST_PAGE),
            *(query for id in warm for query in self.sessions.queries(id)),
        )
        if listed.version >> 20 != (self._list_version or 0) >> 20:
            return self._rebuild()
        unfinished = self.sessions.apply(warm, pages)
        others = [id for id in self._moved_at if id not in set(warm)]
        self.sessions.read([*unfinished, *self._note_entries(listed.records), *others])
        return self._read_changes() if len(listed.records) >= _LIST_PAGE else None

    def _note_entries(self, entries: Iterable[Record]) -> list[str]:
        """The sessions of entries of the list, newest first."""
        ids = []
        for entry in entries:
            ids.append(user_index.session_id_of(entry))
            self._last_seq = max(self._last_seq, entry.seq)
            self._moved_at[ids[-1]] = entry.at
        return ids[::-1]

    def _sync_facts(self) -> None:
        """Take in the facts, if anything is new in what is known of the user."""
        engine = self._engine.longterm
        if (
            engine.read(Query(self.facts_stream, "fact", limit=1, newest=True))[0].version
            != self._facts_version
        ):
            self._index_facts(engine.read(Query(self.facts_stream, "fact"))[0])

    def _index_facts(self, page: Page) -> None:
        stored = [fact for record in page.records if (fact := read_fact(record))]
        now = self._engine.now()
        facts = {fact.id: fact for fact in stored if is_current(fact, now)}
        unchanged = {id for id, fact in facts.items() if self._facts.get(id) == fact}
        self.remove_facts(self._facts.keys() - unchanged)
        namespace = self._engine.settings.namespace
        documents = [
            analyzer.fact_document(fact, namespace)
            for id, fact in facts.items()
            if id not in unchanged
        ]
        self.index.add_facts(documents)
        self._facts, self._facts_version = facts, page.version

    def remove_facts(self, ids: Iterable[str]) -> None:
        """Let go of facts."""
        origins = {FACT_PREFIX + id for id in ids}
        origin_names = self.index.origin_names.values
        flags, document_origins = self.index.flags, self.index.origins
        numbers = [
            n
            for n in range(len(self.index))
            if flags[n] & FACT and origin_names[document_origins[n]] in origins
        ]
        self.index.remove(numbers)
        self._facts_version = -1
        for origin in origins:
            self._facts.pop(origin[1:], None)

    def _oldest_documents(self, count: int) -> list[int]:
        index = self.index
        live = (n for n in range(len(index)) if index.alive[n])
        return heapq.nsmallest(count, live, key=lambda n: (index.times[n], n))
