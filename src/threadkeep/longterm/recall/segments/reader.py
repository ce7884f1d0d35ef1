"""Reads segments of one user: columns at once, postings when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.document_columns import LoadedNames
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.segments import block as postings
from threadkeep.longterm.recall.segments import columns as segment_columns
from threadkeep.longterm.recall.segments import pieces
from threadkeep.longterm.recall.segments.block import Block, PostingsPiece
from threadkeep.longterm.recall.segments.columns import Columns
from threadkeep.longterm.recall.segments.pieces import BadPiece
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import PIECE, SegmentHead
from threadkeep.types import Query

MAX_CACHED_BYTES: Final = 8_000_000
"""Bytes of postings of one user that are kept ready."""

_PIECES_PER_READ: Final = 64
_SEGMENTS_PER_READ: Final = 2  # a few MB


class SegmentReader:
    """The pieces of a user's segments; not thread-safe."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._stream = recall_segments.stream(engine, user)
        self._pieces_by_id: OrderedDict[str, PostingsPiece] = OrderedDict()
        self._cached_bytes = 0

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        return self._cached_bytes

    def load(self, index: RecallIndex, heads: Sequence[SegmentHead]) -> list[SegmentHead]:
        """Load segments into an index that has no other documents; returns those that cannot be.

        A segment whose pieces are gone or damaged is not loaded.
        """
        failed_heads: list[SegmentHead] = []
        for batch_start in range(0, len(heads), _SEGMENTS_PER_READ):
            batch_heads = heads[batch_start : batch_start + _SEGMENTS_PER_READ]
            piece_ids = [
                f"{segment.id}.{piece_number}"
                for segment in batch_heads
                for piece_number in range(segment.columns)
            ]
            content_by_id = self._contents(piece_ids)
            for segment in batch_heads:
                column_pieces = [
                    content_by_id.get(f"{segment.id}.{piece_number}")
                    for piece_number in range(segment.columns)
                ]
                if not self._load_one(index, segment, column_pieces):
                    failed_heads.append(segment)
        return failed_heads

    def prefetch(self, blocks: Iterable[Block], stems: Iterable[str]) -> None:
        """Read the pieces that have the postings of some stems, many at once.

        Raises:
            BadPiece: one is gone, or damaged.
        """
        all_stems = list(stems)
        piece_ids = {block.piece_id(stem) for block in blocks for stem in all_stems}
        missing_ids = sorted(
            id for id in piece_ids if id is not None and id not in self._pieces_by_id
        )
        for batch_start in range(0, len(missing_ids), _PIECES_PER_READ):
            batch_ids = missing_ids[batch_start : batch_start + _PIECES_PER_READ]
            content_by_id = self._contents(batch_ids)
            for id in batch_ids:
                self._remember(id, postings.decode(_present(content_by_id.get(id), id)))

    def vectors(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Pieces with vectors, by id; those that are damaged are left out."""
        return self._contents(ids)

    def block(self, segment: str, base: int, columns: Columns) -> Block:
        """The postings of a segment, as a part of an index."""
        vocabulary_end = columns.vocabulary + columns.vocabulary_pieces
        return Block(
            segment,
            base,
            len(columns),
            directory=columns.directory,
            first_piece=vocabulary_end,
            vocabulary=range(columns.vocabulary, vocabulary_end),
            piece=self._piece,
            text=self._text,
        )

    def _load_one(
        self, recall_index: RecallIndex, head: SegmentHead, parts: list[bytes | None]
    ) -> bool:
        try:
            columns = segment_columns.decode(b"".join(_present(part, head.id) for part in parts))
        except BadPiece:
            return False
        if len(columns) != head.documents:
            return False
        loaded_names = LoadedNames(columns.origins, columns.roles, columns.speakers)
        recall_index.load(
            columns.arrays, loaded_names, self.block(head.id, len(recall_index), columns)
        )
        return True

    def _piece(self, id: str) -> PostingsPiece:
        piece = self._pieces_by_id.get(id)
        if piece is None:
            piece = postings.decode(_present(self._contents([id]).get(id), id))
            self._remember(id, piece)
        self._pieces_by_id.move_to_end(id)
        return piece

    def _text(self, ids: list[str]) -> str:
        content_by_id = self._contents(ids)
        compressed_bytes = b"".join(_present(content_by_id.get(id), id) for id in ids)
        return pieces.parts_of(compressed_bytes)[0].decode("utf-8", "surrogatepass")

    def _remember(self, id: str, piece: PostingsPiece) -> None:
        self._pieces_by_id[id] = piece
        self._cached_bytes += piece.nbytes
        while self._cached_bytes > MAX_CACHED_BYTES and len(self._pieces_by_id) > 1:
            _, oldest_piece = self._pieces_by_id.popitem(last=False)
            self._cached_bytes -= oldest_piece.nbytes

    def _contents(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The contents of pieces by id, without those that are gone or damaged."""
        if not ids:
            return {}
        piece_page = self._engine.read(Query(self._stream, PIECE, ids=ids))[0]
        content_by_id = {}
        for record in piece_page.records:
            try:
                content_by_id[record.id] = pieces.content_of(record)
            except BadPiece:
                continue
        return content_by_id


def _present(content_bytes: bytes | None, id: str) -> bytes:
    if content_bytes is None:
        raise BadPiece(id)
    return content_bytes
