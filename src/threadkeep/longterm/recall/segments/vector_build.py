"""Makes the vectors of segments: by the embedder for what is new, carried over where they merge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.longterm.recall.item_texts import passages
from threadkeep.longterm.recall.segments import pieces, vector_pieces
from threadkeep.longterm.recall.sync import Outdated, SyncedIndex
from threadkeep.longterm.recall.vectors import BATCH, Vector, Vectors
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import HEAD, PIECE, SegmentHead
from threadkeep.types import KEEP, Drop, Record
from threadkeep.types.batching import batches


class VectorBuilder:
    """Keeps the vectors of one user's segments complete.

    Args:
        engine: whose embedder has a name.
        user: whose segments.
        name: of the embedder.
    """

    def __init__(self, engine: Engine, user: str, name: str) -> None:
        self._engine = engine
        self._name = name
        self._vectors = engine.component(Vectors)
        self._stream = recall_segments.stream(engine, user)
        self._vectors_by_key: dict[int, Vector] = {}  # by the keys of items

    def carry(self, synced: SyncedIndex, replaced: Iterable[SegmentHead]) -> None:
        """Remember the vectors of segments that will be merged."""
        for segment in replaced:
            if segment.vectors == self._name:
                segment_documents = synced.documents_by_segment[segment.id]
                vector_by_row_offset = vector_pieces.read(
                    synced.reader.vectors, segment, range(len(segment_documents))
                )
                item_keys = synced.index.keys
                self._vectors_by_key |= {
                    item_keys[segment_documents[row_offset]]: vector
                    for row_offset, vector in vector_by_row_offset.items()
                }

    def complete(self, synced: SyncedIndex) -> int:
        """Make all vectors that are missing; returns of how many segments.

        Raises:
            EmbedderFault: the embedder failed.
            Outdated: the segments changed meanwhile.
        """
        heads_without_vectors = [
            segment
            for segment in synced.heads.segments
            if segment.id in synced.documents_by_segment and segment.vectors != self._name
        ]
        for segment in heads_without_vectors:
            document_vectors = self._rows(synced, synced.documents_by_segment[segment.id])
            self._write(synced, segment, vector_pieces.encode(document_vectors))
        self._vectors_by_key = {}
        return len(heads_without_vectors)

    def _rows(self, synced: SyncedIndex, numbers: Sequence[int]) -> list[Vector | None]:
        item_keys = synced.index.keys
        documents_to_embed = [
            document_number
            for document_number in numbers
            if item_keys[document_number] not in self._vectors_by_key
        ]
        for batch_start in range(0, len(documents_to_embed), BATCH):
            document_batch = documents_to_embed[batch_start : batch_start + BATCH]
            text_by_document = dict(passages(self._engine, synced, document_batch))
            new_vectors = self._vectors.of_passages(list(text_by_document.values()))
            self._vectors_by_key.update(
                zip(
                    (item_keys[document_number] for document_number in text_by_document),
                    new_vectors,
                    strict=True,
                )
            )
        return [self._vectors_by_key.get(item_keys[document_number]) for document_number in numbers]

    def _write(self, synced: SyncedIndex, head: SegmentHead, contents: list[bytes]) -> None:
        """Write vectors, announced first if they take several commits."""
        old_piece_ids = head.piece_ids()[head.first_vector :] if head.first_vector else []
        first_piece_number = head.pieces - len(old_piece_ids)
        announced_head = head._replace(
            pieces=first_piece_number + len(contents), first_vector=first_piece_number, vectors=None
        )
        write_time = self._engine.now()
        vector_records = [
            pieces.piece_record(
                head.id, first_piece_number + piece_offset, content_bytes, write_time, head.expires
            )
            for piece_offset, content_bytes in enumerate(contents)
        ]
        final_head_record = announced_head._replace(vectors=self._name).record(HEAD, write_time)
        old_piece_drops = [Drop(PIECE, old_piece_ids)] if old_piece_ids else []
        if len(list(batches([*vector_records, final_head_record]))) == 1:
            self._commit(synced, [*vector_records, final_head_record], old_piece_drops)
        else:
            self._commit(synced, [announced_head.record(HEAD, write_time)], old_piece_drops)
            for record_batch in batches(vector_records):
                self._commit(synced, record_batch, [])
            self._commit(synced, [final_head_record], [])
        segment_heads = synced.heads.segments
        head_index = segment_heads.index(head)
        segment_heads[head_index] = announced_head._replace(vectors=self._name)

    def _commit(self, synced: SyncedIndex, records_to_put: list[Record], drops: list[Drop]) -> None:
        try:
            stream_version = self._engine.commit(
                self._stream, put=records_to_put, drop=drops, ttl=KEEP, expect=synced.heads.version
            ).version
        except Conflict as error:
            raise Outdated from error
        synced.heads = synced.heads._replace(version=stream_version)
