"""Writes one segment: in one commit if it fits, else announced first and completed last."""

from __future__ import annotations

from contextlib import suppress

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.longterm.recall.sync import Outdated, SyncedIndex
from threadkeep.sessions import recall_segments, user_index
from threadkeep.sessions.recall_segments import GAP, HEAD, Heads, SegmentHead
from threadkeep.types import KEEP, Drop, Record
from threadkeep.types.batching import batches


class Batch:
    """Documents for one new segment.

    Attributes:
        numbers: of the documents.
        replaced: the segments that it replaces.
        unfinished: the sessions of which documents are left over.
        is_last: whether nothing is left over.
    """

    def __init__(
        self, numbers: list[int], replaced: list[SegmentHead], unfinished: set[int]
    ) -> None:
        self.numbers, self.replaced, self.unfinished = numbers, replaced, unfinished
        self.is_last = not unfinished


class SegmentWriter:
    """Writes the records of a segment."""

    def __init__(self, engine: Engine, synced: SyncedIndex) -> None:
        self._engine = engine
        self._user = synced.user
        self._stream = recall_segments.stream(engine, synced.user)
        self._heads = synced.heads
        self._ttl = engine.settings.ttl
        self._stale = [
            head for head in synced.heads.segments if head.id not in synced.documents_by_segment
        ]  # damaged, or never finished: what they hold is among the new documents, or was

    def write(self, head: SegmentHead, records: list[Record], batch: Batch) -> int:
        """Write it, without the segments that it replaces; returns the stream's version.

        Raises:
            Outdated: another builder, or somebody who forgets, was faster.
        """
        all_records = [*records, head.record(HEAD, head.written_at)]
        if len(list(batches(all_records))) == 1:
            return self._finish(all_records, batch, self._heads)
        current_heads = self._announce(head)
        for record_batch in batches(records):
            current_heads = self._add(head, record_batch, current_heads)
        return self._finish([head.record(HEAD, head.written_at)], batch, current_heads)

    def _finish(self, records_to_put: list[Record], batch: Batch, heads: Heads) -> int:
        record_drops = recall_segments.dropping(batch.replaced)
        if batch.is_last:  # all that these held is in a segment again
            record_drops += recall_segments.dropping(self._stale)
            record_drops += [Drop(GAP, [gap.id for gap in heads.gaps])] if heads.gaps else []
        return self._commit(records_to_put, record_drops, heads.version)

    def _announce(self, head: SegmentHead) -> Heads:
        """Say which pieces will be written, so that they are found if this is cut short."""
        draft_head = head._replace(complete=False)
        stream_version = self._commit(
            [draft_head.record(HEAD, head.written_at)], [], self._heads.version
        )
        return self._heads._replace(version=stream_version)

    def _add(self, head: SegmentHead, records: list[Record], heads: Heads) -> Heads:
        try:
            return heads._replace(version=self._commit(records, [], heads.version))
        except Outdated:
            with suppress(Conflict):
                self._engine.commit(self._stream, drop=recall_segments.dropping([head]), ttl=KEEP)
            raise

    def _commit(self, records_to_put: list[Record], drops: list[Drop], expect: int) -> int:
        try:
            stream_version = self._engine.commit(
                self._stream, put=records_to_put, drop=drops, ttl=self._ttl, expect=expect
            ).version
        except Conflict as error:
            raise Outdated from error
        if not expect and not user_index.entries(self._engine, self._user, None, 1):
            # forgotten meanwhile, when there was no stream yet whose version would have told
            recall_segments.forget_user(self._engine, self._user)
            raise Outdated
        return stream_version
