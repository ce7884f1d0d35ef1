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
_NO_MOMENTS: Final[frozenset[float]] = frozenset()  # one for all: an empty set takes 216 bytes
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
    moments: frozenset[float] = _NO_MOMENTS


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
        self._progress_by_id: dict[str, SessionProgress] = {}
        self._edited: dict[str, None] = {}

    @property
    def count(self) -> int:
        """How many sessions were read, or begun."""
        return len(self._progress_by_id)

    def stream(self, id: str) -> str:
        """The stream of a session."""
        return self._engine.stream("session", id)

    def is_current(self, id: str, page: Page) -> bool:
        """Whether a session, by any page of it, is in the life that was read."""
        progress = self._progress_by_id.get(id)
        return progress is not None and _same_generation(page, progress)

    def read(self, ids: Iterable[str], *, thorough: bool = False) -> None:
        """Read what sessions have that was not read yet, many at once.

        Args:
            ids: of the sessions.
            thorough: where something was edited, look at all items again, not at the newest only.
        """
        unread_ids = list(dict.fromkeys(ids))
        while unread_ids:
            batch_ids, unread_ids = unread_ids[:SESSIONS_PER_READ], unread_ids[SESSIONS_PER_READ:]
            session_pages = self._engine.read(
                *(query for session_id in batch_ids for query in self.queries(session_id))
            )
            unread_ids = [*self.apply(batch_ids, session_pages), *unread_ids]
        if self._edited:
            edited_ids, self._edited = list(self._edited), {}
            self.rescan(edited_ids, limit=None if thorough else _RESCAN_LIMIT)

    def queries(self, id: str) -> list[Query]:
        """What is to be read of a session: what is new in it; of an unknown one, whose it is."""
        stream, progress = self.stream(id), self._progress_by_id.get(id)
        last_read_seq = progress.seq or None if progress else None
        items_query = Query(stream, "item", after=last_read_seq, limit=_PAGE)
        return (
            [items_query] if progress else [items_query, Query(stream, "session", ids=["session"])]
        )

    def apply(self, ids: Sequence[str], pages: Iterable[Page]) -> list[str]:
        """Take in the answers to the `queries` of sessions; those of which there is more."""
        remaining_pages = iter(pages)
        return [
            session_id
            for session_id in ids
            if self._apply_page(session_id, next(remaining_pages), remaining_pages)
        ]

    def rescan(self, ids: Iterable[str], *, limit: int | None = _RESCAN_LIMIT) -> None:
        """Look at the newest items of sessions again, or at all, for edits and deletions."""
        followed_ids = [session_id for session_id in ids if session_id in self._progress_by_id]
        item_queries = [
            Query(self.stream(session_id), "item", newest=True, limit=limit)
            for session_id in followed_ids
        ]
        for session_id, item_page in zip(
            followed_ids, self._engine.read(*item_queries) if item_queries else (), strict=True
        ):
            self._rescan_session(session_id, item_page.records, complete=limit is None)

    def refresh(self, stale: Sequence[StaleDocument]) -> None:
        """Take in what became of documents, and look for what else changed in their sessions."""
        current_documents = [
            stale_document
            for stale_document in stale
            if self.is_current(stale_document.session, stale_document.page)
        ]
        self._index.remove([stale_document.number for stale_document in current_documents])
        for stale_document in current_documents:
            for item_record in stale_document.page.records:
                self.add_record(stale_document.session, item_record)
        session_ids = list(dict.fromkeys(stale_document.session for stale_document in stale))
        self.read(session_ids)
        self.rescan(session_ids)

    def resume(self, spans: Mapping[str, SegmentSpan]) -> None:
        """Take over how far sessions were read when a segment was built; later ones last."""
        for session_id, span in spans.items():
            progress = self._progress_by_id.setdefault(
                session_id, SessionProgress(span.version, span.read)
            )
            if generation_of(progress.version) != generation_of(span.version):
                progress = self._progress_by_id[session_id] = SessionProgress(
                    span.version, span.read
                )
            if span.version >= progress.version:
                progress.version, progress.seq = span.version, max(progress.seq, span.read)

    def add_record(self, id: str, record: Record) -> None:
        """Take in an item of a session, if it has words."""
        item = item_codec.read_item(record)
        if references_of(item):
            item = load_heads(self._engine, id, item, analyzer.MAX_CHARACTERS)
        document = analyzer.item_document(id, item, record.at)
        if document is not None:
            self._index.add(document)

    def progress(self, id: str) -> SessionProgress | None:
        """How far a session was read."""
        return self._progress_by_id.get(id)

    def remove(self, id: str) -> None:
        """Let go of a session."""
        if self._progress_by_id.pop(id, None) is not None:
            self._index.remove(self._index.of_origin(id))

    def _apply_page(self, id: str, items: Page, others: Iterator[Page]) -> bool:
        """Take in a page; whether there is more to read."""
        progress = self._progress_by_id.get(id)
        is_first_page = progress is None
        if progress is None:
            if not self._is_ours(next(others)):
                return False
            progress = self._progress_by_id[id] = SessionProgress(items.version)
        elif not _same_generation(items, progress):
            self.remove(id)
            return items.version > 0
        progress.moments |= {item_record.at for item_record in items.records}
        for item_record in items.records:
            self.add_record(id, item_record)
            progress.seq = item_record.seq
        if len(items.records) >= _PAGE:
            return True
        if not is_first_page and items.version - progress.version > len(progress.moments):
            self._edited[id] = None
        progress.version, progress.moments = items.version, _NO_MOMENTS
        return False

    def _rescan_session(self, id: str, records: Sequence[Record], *, complete: bool) -> None:
        recall_index = self._index
        document_by_seq = {
            recall_index.seqs[document_number]: document_number
            for document_number in recall_index.of_origin(id)
        }
        first_seq = records[0].seq if len(records) >= _RESCAN_LIMIT and not complete else 0
        record_by_seq = {item_record.seq: item_record for item_record in records}
        stale_documents = [
            document_number
            for seq, document_number in document_by_seq.items()
            if seq >= first_seq
            and (
                seq not in record_by_seq
                or record_by_seq[seq].at != recall_index.written_at[document_number]
            )
        ]
        unchanged_seqs = document_by_seq.keys() - {
            recall_index.seqs[document_number] for document_number in stale_documents
        }
        recall_index.remove(stale_documents)
        last_read_seq = self._progress_by_id[id].seq
        for item_record in records:
            if item_record.seq <= last_read_seq and item_record.seq not in unchanged_seqs:
                self.add_record(id, item_record)

    def _is_ours(self, page: Page) -> bool:
        """Whether it is a session of the user, and no sub-agent's."""
        if not page.records:
            return False
        try:
            session_info = session_codec.read_session(page.records[0])
        except UnreadableRecord:
            return False
        return session_info.user == self._user and not user_index.is_sub_agent(session_info)


def _same_generation(page: Page, progress: SessionProgress) -> bool:
    return generation_of(page.version) == generation_of(progress.version)
