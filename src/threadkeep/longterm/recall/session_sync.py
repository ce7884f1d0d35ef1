"""The sessions of one user as the index follows them: what was read of each, and what is new.

What was added is read on from the last seq. A version that moved by more commits than were needed
to add it says that something was edited or deleted: then the newest items are looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from threadkeep.core import item_codec, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.parts import references_of
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.sessions import user_index
from threadkeep.sessions.blob_load import load_heads
from threadkeep.sessions.recall_segments import SegmentSpan
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
    moments: frozenset[float] = frozenset()


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

    def read(self, ids: Iterable[str], *, thorough: bool = False) -> None:
        """Read what sessions have that was not read yet, many at once.

        Args:
            ids: of the sessions.
            thorough: where something was edited, look at all items again, not at the newest only.
        """
        todo = list(dict.fromkeys(ids))
        while todo:
            batch, todo = todo[:SESSIONS_PER_READ], todo[SESSIONS_PER_READ:]
            pages = self._engine.read(*(query for id in batch for query in self.queries(id)))
            todo = [*self.apply(batch, pages), *todo]
        if self._edited:
            edited, self._edited = list(self._edited), {}
            self.rescan(edited, limit=None if thorough else _RESCAN_LIMIT)

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

    def rescan(self, ids: Iterable[str], *, limit: int | None = _RESCAN_LIMIT) -> None:
        """Look at the newest items of sessions again, or at all, for edits and deletions."""
        followed = [id for id in ids if id in self._progress]
        queries = [Query(self.stream(id), "item", newest=True, limit=limit) for id in followed]
        for id, page in zip(followed, self._engine.read(*queries) if queries else (), strict=True):
            self._rescan_session(id, page.records, complete=limit is None)

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

    def resume(self, spans: Mapping[str, SegmentSpan]) -> None:
        """Take over how far sessions were read when a segment was built; later ones last."""
        for id, span in spans.items():
            progress = self._progress.setdefault(id, SessionProgress(span.version, span.read))
            if generation_of(progress.version) != generation_of(span.version):
                progress = self._progress[id] = SessionProgress(span.version, span.read)
            if span.version >= progress.version:
                progress.version, progress.seq = span.version, max(progress.seq, span.read)

    def read_again(self, spans: Iterable[tuple[str, SegmentSpan]]) -> None:
        """Read items that a segment held which is gone; what is there already stays."""
        todo = [(id, span.first - 1, span.last) for id, span in spans]
        indexed = self._indexed_seqs({id for id, _, _ in todo})
        while todo:
            batch, todo = todo[:SESSIONS_PER_READ], todo[SESSIONS_PER_READ:]
            queries = [
                Query(self.stream(id), "item", after=after or None, before=last + 1, limit=_PAGE)
                for id, after, last in batch
            ]
            for (id, _, last), page in zip(batch, self._engine.read(*queries), strict=True):
                if not self.is_current(id, page):
                    continue
                for record in page.records:
                    if record.seq not in indexed[id]:
                        indexed[id].add(record.seq)
                        self._add(id, record)
                if len(page.records) >= _PAGE:
                    todo.append((id, page.records[-1].seq, last))

    def progress(self, id: str) -> SessionProgress | None:
        """How far a session was read."""
        return self._progress.get(id)

    def _indexed_seqs(self, ids: set[str]) -> dict[str, set[int]]:
        """The seqs of the documents of some sessions."""
        index = self._index
        seqs_by_session: dict[str, set[int]] = {id: set() for id in ids}
        numbers = {index.origin_names.numbers.get(id): id for id in ids}
        for n, origin in enumerate(index.origins):
            if origin in numbers and index.alive[n]:
                seqs_by_session[numbers[origin]].add(index.seqs[n])
        return seqs_by_session

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
        progress.moments |= {record.at for record in items.records}
        for record in items.records:
            self._add(id, record)
            progress.seq = record.seq
        if len(items.records) >= _PAGE:
            return True
        if not is_new and items.version - progress.version > len(progress.moments):
            self._edited[id] = None
        progress.version, progress.moments = items.version, frozenset()
        return False

    def _rescan_session(self, id: str, records: Sequence[Record], *, complete: bool) -> None:
        index = self._index
        indexed = {index.seqs[n]: n for n in index.of_origin(id)}
        first = records[0].seq if len(records) >= _RESCAN_LIMIT and not complete else 0
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
            info = session_codec.read_session(page.records[0])
        except UnreadableRecord:
            return False
        return info.user == self._user and not user_index.is_sub_agent(info)


def _same_generation(page: Page, progress: SessionProgress) -> bool:
    return generation_of(page.version) == generation_of(progress.version)
