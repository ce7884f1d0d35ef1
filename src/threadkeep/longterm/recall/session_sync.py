"""The sessions of one user as the index follows them: what was read of each, and what is new.

What was added is read on from the last seq. A version that moved by more commits than were needed
to add it says that something was edited or deleted: then the newest items are looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.index import Index
from threadkeep.types import Page, Query, Record
from threadkeep.types.versions import generation_of

TOGETHER: Final = 50
"""Sessions that are read in one round trip."""

_PAGE: Final = 200
_SCANNED: Final = 500  # items that are looked at again after an edit


@dataclass(slots=True)
class Followed:
    """How far a session was read.

    Attributes:
        version: of its stream, when all of it had been read.
        seq: of the last item that was read.
        moments: when the items behind that version were written: about one for each commit.
    """

    version: int
    seq: int = 0
    moments: set[float] = field(default_factory=set)


class Stale(NamedTuple):
    """A document that is not as it was: its session, its number, and what stands there now."""

    session: str
    number: int
    page: Page


class Sessions:
    """Keeps an index in step with the sessions of a user; not thread-safe."""

    def __init__(self, engine: Engine, user: str, index: Index) -> None:
        self._engine = engine
        self._user = user
        self._index = index
        self._followed: dict[str, Followed] = {}
        self._edited: dict[str, None] = {}

    def stream(self, id: str) -> str:
        """The stream of a session."""
        return self._engine.stream("session", id)

    def is_same(self, id: str, page: Page) -> bool:
        """Whether a session, by any page of it, is in the life that was read."""
        known = self._followed.get(id)
        return known is not None and _same_life(page, known)

    def read(self, ids: Iterable[str]) -> None:
        """Read what sessions have that was not read yet, many at once."""
        todo = list(dict.fromkeys(ids))
        while todo:
            batch, todo = todo[:TOGETHER], todo[TOGETHER:]
            pages = self._engine.read(*(query for id in batch for query in self.queries(id)))
            todo = [*self.take(batch, pages), *todo]
        if self._edited:
            edited, self._edited = list(self._edited), {}
            self.scan(edited)

    def queries(self, id: str) -> list[Query]:
        """What is to be read of a session: what is new in it; of an unknown one, whose it is."""
        stream, known = self.stream(id), self._followed.get(id)
        after = known.seq or None if known else None
        items = Query(stream, "item", after=after, limit=_PAGE)
        return [items] if known else [items, Query(stream, "session", ids=["session"])]

    def take(self, ids: Sequence[str], pages: Iterable[Page]) -> list[str]:
        """Take in the answers to the `queries` of sessions; those of which there is more."""
        left = iter(pages)
        return [id for id in ids if self._take_one(id, next(left), left)]

    def scan(self, ids: Iterable[str]) -> None:
        """Look at the newest items of sessions again, for edits and deletions."""
        known = [id for id in ids if id in self._followed]
        queries = [Query(self.stream(id), "item", newest=True, limit=_SCANNED) for id in known]
        for id, page in zip(known, self._engine.read(*queries) if queries else (), strict=True):
            self._compare(id, page.records)

    def renew(self, stale: Sequence[Stale]) -> None:
        """Take in what became of documents, and look for what else changed in their sessions."""
        there = [one for one in stale if self.is_same(one.session, one.page)]
        self._index.remove([one.number for one in there])
        for one in there:
            for record in one.page.records:
                self._add(one.session, record)
        ids = list(dict.fromkeys(one.session for one in stale))
        self.read(ids)
        self.scan(ids)

    def drop(self, id: str) -> None:
        """Let go of a session."""
        if self._followed.pop(id, None) is not None:
            self._index.remove(self._index.of_place(id))

    def _take_one(self, id: str, items: Page, others: Iterator[Page]) -> bool:
        """Take in a page; whether there is more to read."""
        known = self._followed.get(id)
        fresh = known is None
        if known is None:
            if not self._is_ours(next(others)):
                return False
            known = self._followed[id] = Followed(items.version)
        elif not _same_life(items, known):
            self.drop(id)
            return items.version > 0
        for record in items.records:
            self._add(id, record)
            known.seq = record.seq
            known.moments.add(record.at)
        if len(items.records) >= _PAGE:
            return True
        if not fresh and items.version - known.version > len(known.moments):
            self._edited[id] = None
        known.version, known.moments = items.version, set()
        return False

    def _compare(self, id: str, records: Sequence[Record]) -> None:
        index = self._index
        held = {index.seqs[n]: n for n in index.of_place(id)}
        first = records[0].seq if len(records) >= _SCANNED else 0
        there = {record.seq: record for record in records}
        stale = [
            n
            for seq, n in held.items()
            if seq >= first and (seq not in there or there[seq].at != index.written[n])
        ]
        fine = held.keys() - {index.seqs[n] for n in stale}
        index.remove(stale)
        last = self._followed[id].seq
        for record in records:
            if record.seq <= last and record.seq not in fine:
                self._add(id, record)

    def _add(self, id: str, record: Record) -> None:
        found = analyzer.of_item(id, item_codec.read_item(record), record.at)
        if found is not None:
            self._index.add(found)

    def _is_ours(self, own: Page) -> bool:
        """Whether it is a session of the user, and no sub-agent's."""
        if not own.records:
            return False
        try:
            info = item_codec.read_session(own.records[0])
        except (ValueError, TypeError, KeyError):
            return False
        return info.user == self._user and not (info.agent and info.id.endswith(f"/{info.agent}"))


def _same_life(page: Page, known: Followed) -> bool:
    return generation_of(page.version) == generation_of(known.version)
