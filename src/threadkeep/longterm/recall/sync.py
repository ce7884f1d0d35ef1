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
from threadkeep.longterm.recall.analyzer import FACT, FACT_PLACE
from threadkeep.longterm.recall.index import Index
from threadkeep.longterm.recall.session_sync import TOGETHER, Sessions
from threadkeep.longterm.store.codec import read_fact
from threadkeep.sessions import user_index
from threadkeep.types import Page, Query, Record
from threadkeep.types.knowledge import Fact

MOST: Final = 100_000
"""Documents of one user; of more, the newest are found."""

_LATELY: Final = 2 * user_index.TOUCH  # twice, since clocks of other processes may differ
_LISTED: Final = 500


class Following:
    """The index of one user; not thread-safe.

    Attributes:
        home: the stream of the user's facts.
        index: what is searched.
        sessions: what was read.
    """

    def __init__(self, engine: Engine, user: str, *, most: int = MOST) -> None:
        self._engine = engine
        self._user = user
        self._most = most
        self._list = engine.stream("sessions", user)
        self.home = engine.longterm.stream("user", user)
        self._begin()

    def _begin(self) -> None:
        self.index = Index()
        self.sessions = Sessions(self._engine, self._user, self.index)
        self._life: int | None = None  # version of the user's list
        self._last = 0  # seq in the user's list
        self._moved: dict[str, float] = {}  # by session
        self._asked = 0.0
        self._learned = -1  # version of the facts
        self._facts: dict[str, Fact] = {}

    def catch_up(self) -> None:
        """Read what is new."""
        now = self._engine.now()
        if self._life is None:
            self._build()
        else:
            self._read_on()
        self._asked = now
        self._learn()
        over = self.index.live - self._most
        if over > self._most // 10:
            self.index.remove(self._oldest(over))

    def _build(self) -> None:
        """Read everything; or, cut short, be as if nothing had been read."""
        self._begin()
        try:
            self._read_all()
        except BaseException:
            self._begin()
            raise

    def _read_all(self) -> None:
        """The sessions of the user's list, the one written last first, up to the limit."""
        before: int | None = None
        while True:
            query = Query(self._list, "session", limit=_LISTED, newest=True, before=before)
            page = self._engine.read(query)[0]
            self._life = page.version if self._life is None else self._life
            ids = self._note(page.records)
            for start in range(0, len(ids), TOGETHER):
                if self.index.live < self._most:
                    self.sessions.read(ids[start : start + TOGETHER])
            if len(page.records) < _LISTED or self.index.live >= self._most:
                return
            before = page.records[0].seq

    def _read_on(self) -> None:
        """What was written to since: sessions that moved, and those that could without moving."""
        since = self._asked - _LATELY
        self._moved = {id: at for id, at in self._moved.items() if at >= since}
        warm = list(self._moved)[-TOGETHER:]
        listed, *pages = self._engine.read(
            Query(self._list, "session", after=self._last or None, limit=_LISTED),
            *(query for id in warm for query in self.sessions.queries(id)),
        )
        if listed.version >> 20 != (self._life or 0) >> 20:
            return self._build()
        more = self.sessions.take(warm, pages)
        others = [id for id in self._moved if id not in set(warm)]
        self.sessions.read([*more, *self._note(listed.records), *others])
        return self._read_on() if len(listed.records) >= _LISTED else None

    def _note(self, entries: Iterable[Record]) -> list[str]:
        """The sessions of entries of the list, newest first."""
        ids = []
        for entry in entries:
            ids.append(user_index.named(entry))
            self._last = max(self._last, entry.seq)
            self._moved[ids[-1]] = entry.at
        return ids[::-1]

    def _learn(self) -> None:
        """Take in the facts, if anything is new in what is known of the user."""
        engine = self._engine.longterm
        if engine.read(Query(self.home, "fact", limit=1, newest=True))[0].version != self._learned:
            self._take_facts(engine.read(Query(self.home, "fact"))[0])

    def _take_facts(self, page: Page) -> None:
        told = [fact for record in page.records if (fact := read_fact(record))]
        facts = {fact.id: fact for fact in told if fact.status == "active"}
        same = {id for id, fact in facts.items() if self._facts.get(id) == fact}
        self.unlearn(self._facts.keys() - same)
        namespace = self._engine.settings.namespace
        fresh = [analyzer.of_fact(fact, namespace) for id, fact in facts.items() if id not in same]
        self.index.learn(fresh)
        self._facts, self._learned = facts, page.version

    def unlearn(self, ids: Iterable[str]) -> None:
        """Let go of facts."""
        places = {FACT_PLACE + id for id in ids}
        names = self.index.place_names.values
        flags, at = self.index.flags, self.index.places
        gone = [n for n in range(len(self.index)) if flags[n] & FACT and names[at[n]] in places]
        self.index.remove(gone)
        self._learned = -1
        for place in places:
            self._facts.pop(place[1:], None)

    def _oldest(self, many: int) -> list[int]:
        index = self.index
        live = (n for n in range(len(index)) if index.alive[n])
        return heapq.nsmallest(many, live, key=lambda n: (index.whens[n], n))
