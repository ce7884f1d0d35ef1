"""The sessions of one user as the index follows them: what was read of each, and what is new.

What was added is read on from the last seq. A version that moved by more commits than were needed
to add it says that something was edited or deleted: then the newest items are looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.parts import references_of
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.sessions import user_index
from threadkeep.sessions.blobs import load_heads
from threadkeep.types import Page, Query, Record
from threadkeep.types.versions import generation_of

SESSIONS_PER_READ: Final = 50
"""Sessions that are read in one round trip."""

_PAGE: Final = 200
_RESCAN_LIMIT: Final = 500  # items that are looked at again after an edit


@dataclass(slots=True)
class SessionProgress:
    """How far a session was read.

    Attributes:
        version: of its stream, when all of it had been read.
        seq: of the last item that was read.
        moments: when the items behind that version were written: about one for each commit.
    """

    version: int
    seq: int = 0
    moments: set[float] = field(default_factory=set)


class StaleDocument(NamedTuple):
    """A document that is not as it was: its session, its number, and what stands there now."""

    session: str
    number: int
    page: Page


class SessionSync:
    """Keeps an index in step with the sessions of a user; not thread-safe."""

    def __init__(self, engine: Engine, user: str, index: RecallIndex) -> None:
        self._engine = engine
        self._user = user
        self._index = index
        self._progress: dict[str, SessionProgress] = {}
        self._edited: dict[str, None] = {}

    def stream(self, id: str) -> str:
        """The stream of a session."""
        return self._engine.stream("session", id)

    def is_current(self, id: str, page: Page) -> bool:
        """Whether a session, by any page of it, is in the life that was read."""
        progress = self._progress.get(id)
        return progress is not None and _same_generation(page, progress)

    def read(self, ids: Iterable[str]) -> None:
        """Read what sessions have that was not read yet, many at once."""
        todo = list(dict.fromkeys(ids))
        while todo:
            batch, todo = todo[:SESSIONS_PER_READ], todo[SESSIONS_PER_READ:]
            pages = self._engine.read(*(query for id in batch for query in self.queries(id)))
            todo = [*self.apply(batch, pages), *todo]
        if self._edited:
            edited, self._edited = list(self._edited), {}
            self.rescan(edited)

    def queries(self, id: str) -> list[Query]:
        """What is to be read of a session: what is new in it; of an unknown one, whose it is."""
        stream, progress = self.stream(id), self._progress.get(id)
        after = progress.seq or None if progress else None
        items = Query(stream, "item", after=after, limit=_PAGE)
        return [items] if progress else [items, Query(stream, "session", ids=["session"])]

    def apply(self, ids: Sequence[str], pages: Iterable[Page]) -> list[str]:
        """Take in the answers to the `queries` of sessions; those of which there is more."""
        remaining = iter(pages)
        return [id for id in ids if self._apply_page(id, next(remaining), remaining)]

    def rescan(self, ids: Iterable[str]) -> None:
        """Look at the newest items of sessions again, for edits and deletions."""
        followed = [id for id in ids if id in self._progress]
        queries = [
            Query(self.stream(id), "item", newest=True, limit=_RESCAN_LIMIT) for id in followed
        ]
        for id, page in zip(followed, self._engine.read(*queries) if queries else (), strict=True):
            self._rescan_session(id, page.records)

    def refresh(self, stale: Sequence[StaleDocument]) -> None:
        """Take in what became of documents, and look for what else changed in their sessions."""
        current = [
            document for document in stale if self.is_current(document.session, document.page)
        ]
        self._index.remove([document.number for document in current])
        for document in current:
            for record in document.page.records:
                self._add(document.session, record)
        ids = list(dict.fromkeys(document.session for document in stale))
        self.read(ids)
        self.rescan(ids)

    def remove(self, id: str) -> None:
        """Let go of a session."""
        if self._progress.pop(id, None) is not None:
            self._index.remove(self._index.of_origin(id))

    def _apply_page(self, id: str, items: Page, others: Iterator[Page]) -> bool:
        """Take in a page; whether there is more to read."""
        progress = self._progress.get(id)
        is_new = progress is None
        if progress is None:
            if not self._is_ours(next(others)):
                return False
            progress = self._progress[id] = SessionProgress(items.version)
        elif not _same_generation(items, progress):
            self.remove(id)
            return items.version > 0
        for record in items.records:
            self._add(id, record)
            progress.seq = record.seq
            progress.moments.add(record.at)
        if len(items.records) >= _PAGE:
            return True
        if not is_new and items.version - progress.version > len(progress.moments):
            self._edited[id] = None
        progress.version, progress.moments = items.version, set()
        return False

    def _rescan_session(self, id: str, records: Sequence[Record]) -> None:
        index = self._index
        indexed = {index.seqs[n]: n for n in index.of_origin(id)}
        first = records[0].seq if len(records) >= _RESCAN_LIMIT else 0
        current = {record.seq: record for record in records}
        stale = [
            n
            for seq, n in indexed.items()
            if seq >= first and (seq not in current or current[seq].at != index.written_at[n])
        ]
        unchanged = indexed.keys() - {index.seqs[n] for n in stale}
        index.remove(stale)
        last = self._progress[id].seq
        for record in records:
            if record.seq <= last and record.seq not in unchanged:
                self._add(id, record)

    def _add(self, id: str, record: Record) -> None:
        item = item_codec.read_item(record)
        if references_of(item):
            item = load_heads(self._engine, id, item, analyzer.MAX_CHARACTERS)
        document = analyzer.item_document(id, item, record.at)
        if document is not None:
            self._index.add(document)

    def _is_ours(self, page: Page) -> bool:
        """Whether it is a session of the user, and no sub-agent's."""
        if not page.records:
            return False
        try:
            info = item_codec.read_session(page.records[0])
        except UnreadableRecord:
            return False
        return info.user == self._user and not user_index.is_sub_agent(info)


def _same_generation(page: Page, progress: SessionProgress) -> bool:
    return generation_of(page.version) == generation_of(progress.version)
