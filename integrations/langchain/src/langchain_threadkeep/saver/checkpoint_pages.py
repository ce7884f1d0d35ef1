"""Reads stored checkpoints: one by its id, or those of a namespace page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from langgraph.checkpoint.base import CheckpointMetadata, CheckpointTuple

from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_tuples import checkpoint_tuple, metadata_of
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.loaded_parts import LoadedParts
from langchain_threadkeep.saver.records import (
    CHECKPOINT,
    CheckpointBody,
    WriteChunk,
    read_checkpoint,
)
from langchain_threadkeep.saver.state import StreamState
from langchain_threadkeep.saver.value_decoder import Decoder, Environment
from threadkeep import Query
from threadkeep.adapters import checkpoints

_PAGE: Final = 20

_REREADS: Final = 3
"""How often a checkpoint is read again that others delete or prune at the same time."""


class PageReader:
    """Reads the checkpoints of a namespace of a thread.

    Args:
        context: the store.
        state: of the namespace's stream.
        address: of the namespace.
    """

    def __init__(self, context: SaverContext, state: StreamState, address: Address) -> None:
        self._context = context
        self._state = state
        self._address = address
        self._rereads = 0

    def body(self, id: str) -> CheckpointBody | None:
        """A checkpoint as it is stored."""
        checkpoint_query = Query(self._state.stream, CHECKPOINT, ids=[checkpoints.key(id)])
        checkpoint_records = self._context.store.read(checkpoint_query)[0].records
        return read_checkpoint(checkpoint_records[0]) if checkpoint_records else None

    def seq(self, id: str) -> int | None:
        """The place of a checkpoint; `None` = it is not there."""
        checkpoint_body = self.body(id)
        return None if checkpoint_body is None else checkpoint_body.seq

    def page(self, before: int | None, limit: int) -> list[CheckpointBody]:
        """Checkpoints, the newest first."""
        checkpoint_query = Query(
            self._state.stream, CHECKPOINT, limit=limit, newest=True, before=before
        )
        checkpoint_records = self._context.store.read(checkpoint_query)[0].records
        return [read_checkpoint(record) for record in reversed(checkpoint_records)]

    def all_pages(self, before: int | None = None, size: int = _PAGE) -> Iterator[CheckpointBody]:
        """All checkpoints, the newest first."""
        before_seq = before
        while page_bodies := self.page(before_seq, size):
            yield from page_bodies
            if len(page_bodies) < size:
                return
            before_seq = page_bodies[-1].seq

    def tuples(self, bodies: Sequence[CheckpointBody]) -> list[CheckpointTuple]:
        """Checkpoints with all that belongs to them."""
        loaded_parts = self.loaded_parts()
        loaded_parts.load(bodies, writes=[checkpoint_body.id for checkpoint_body in bodies])
        loaded_tuples = [
            self._tuple(checkpoint_body, loaded_parts, loaded_parts.writes(checkpoint_body))
            for checkpoint_body in bodies
        ]
        if loaded_parts.is_of(self._state.version, None) or not self._is_torn(bodies):
            return loaded_tuples
        return self.tuples(self._still_there(bodies))

    def _is_torn(self, bodies: Sequence[CheckpointBody]) -> bool:
        """Return True if a checkpoint was deleted while what it refers to was read."""
        if self._rereads == _REREADS or len(self._still_there(bodies)) == len(bodies):
            return False
        self._rereads += 1
        return True

    def _still_there(self, bodies: Sequence[CheckpointBody]) -> list[CheckpointBody]:
        """Without those that were deleted since they were read."""
        body_by_key = {
            checkpoints.key(checkpoint_body.id): checkpoint_body for checkpoint_body in bodies
        }
        checkpoint_query = Query(self._state.stream, CHECKPOINT, ids=list(body_by_key))
        existing_keys = {
            record.id for record in self._context.store.read(checkpoint_query)[0].records
        }
        return [
            checkpoint_body for key, checkpoint_body in body_by_key.items() if key in existing_keys
        ]

    def metadata(self, body: CheckpointBody) -> CheckpointMetadata:
        """The metadata of a checkpoint."""
        loaded_parts = self.loaded_parts()
        if any(isinstance(stored_form, dict) for stored_form in body.metadata.values()):
            loaded_parts.load([body._replace(values={})])
        decoder = Decoder(self._context.serde, loaded_parts)
        return metadata_of(body, decoder)

    def loaded_parts(self) -> LoadedParts:
        """What is read for some checkpoints at once."""
        context = self._context
        return LoadedParts(
            context.store, self._state.thread.streams, self._address.namespace, context.serde
        )

    def _tuple(
        self,
        body: CheckpointBody,
        environment: Environment,
        chunks: Sequence[WriteChunk],
        objects: dict[str, list[Any]] | None = None,
    ) -> CheckpointTuple:
        serde = self._context.serde
        return checkpoint_tuple(self._address, body, environment, serde, chunks, objects)
