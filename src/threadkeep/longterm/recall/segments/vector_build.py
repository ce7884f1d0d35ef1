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
        self._carried: dict[int, Vector] = {}  # by the keys of items

    def carry(self, synced: SyncedIndex, replaced: Iterable[SegmentHead]) -> None:
        """Remember the vectors of segments that will be merged."""
        for head in replaced:
            if head.vectors == self._name:
                numbers = synced.stored[head.id]
                vectors = vector_pieces.read(synced.reader.vectors, head, range(len(numbers)))
                keys = synced.index.keys
                self._carried |= {keys[numbers[place]]: row for place, row in vectors.items()}

    def complete(self, synced: SyncedIndex) -> int:
        """Make all vectors that are missing; returns of how many segments.

        Raises:
            EmbedderFault: the embedder failed.
            Outdated: the segments changed meanwhile.
        """
        missing = [
            head
            for head in synced.heads.segments
            if head.id in synced.stored and head.vectors != self._name
        ]
        for head in missing:
            rows = self._rows(synced, synced.stored[head.id])
            self._write(synced, head, vector_pieces.encode(rows))
        self._carried = {}
        return len(missing)

    def _rows(self, synced: SyncedIndex, numbers: Sequence[int]) -> list[Vector | None]:
        keys = synced.index.keys
        unknown = [n for n in numbers if keys[n] not in self._carried]
        for start in range(0, len(unknown), BATCH):
            batch = unknown[start : start + BATCH]
            texts = dict(passages(self._engine, synced, batch))
            vectors = self._vectors.of_passages(list(texts.values()))
            self._carried.update(zip((keys[n] for n in texts), vectors, strict=True))
        return [self._carried.get(keys[n]) for n in numbers]

    def _write(self, synced: SyncedIndex, head: SegmentHead, contents: list[bytes]) -> None:
        """Write vectors, announced first if they take several commits."""
        old = head.piece_ids()[head.first_vector :] if head.first_vector else []
        first = head.pieces - len(old)
        announced = head._replace(pieces=first + len(contents), first_vector=first, vectors=None)
        now = self._engine.now()
        records = [
            pieces.piece_record(head.id, first + n, content, now, head.expires)
            for n, content in enumerate(contents)
        ]
        finished = announced._replace(vectors=self._name).record(HEAD, now)
        drop = [Drop(PIECE, old)] if old else []
        if len(list(batches([*records, finished]))) == 1:
            self._commit(synced, [*records, finished], drop)
        else:
            self._commit(synced, [announced.record(HEAD, now)], drop)
            for chunk in batches(records):
                self._commit(synced, chunk, [])
            self._commit(synced, [finished], [])
        segments = synced.heads.segments
        place = segments.index(head)
        segments[place] = announced._replace(vectors=self._name)

    def _commit(self, synced: SyncedIndex, put: list[Record], drop: list[Drop]) -> None:
        try:
            version = self._engine.commit(
                self._stream, put=put, drop=drop, ttl=KEEP, expect=synced.heads.version
            ).version
        except Conflict as error:
            raise Outdated from error
        synced.heads = synced.heads._replace(version=version)
