"""Reads the newest checkpoint of a namespace, or one by its id; what is known is not read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import CheckpointTuple

from langchain_threadkeep.saver import references, session_changes
from langchain_threadkeep.saver.checkpoint_pages import PageReader
from langchain_threadkeep.saver.checkpoint_tuples import KnownLists, spans_of
from langchain_threadkeep.saver.list_values import ListValue
from langchain_threadkeep.saver.loaded_parts import LoadedParts
from langchain_threadkeep.saver.records import (
    CHECKPOINT,
    CheckpointBody,
    WriteChunk,
    read_checkpoint,
)
from langchain_threadkeep.saver.references import fingerprint
from langchain_threadkeep.saver.segments import is_last, keys_of
from langchain_threadkeep.saver.state import KnownCheckpoint, Lease
from langchain_threadkeep.saver.stored_json import indispensable
from threadkeep import Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.errors import NotOwner
from threadkeep.printable import shown


class StreamHead(NamedTuple):
    """The newest state of a stream: its version, the session's, and the newest checkpoint."""

    version: int
    session_version: int
    newest: CheckpointBody | None


class Reader(PageReader):
    """Reads the checkpoints of a namespace of a thread, with its state locked.

    Raises:
        NotOwner: in each method, if the thread belongs to another user.
    """

    def head(self, *queries: Query) -> tuple[StreamHead, list[list[Record]]]:
        """Read what is newest, and forget what is known if the stream changed."""
        stream_state = self._state
        pages = self._context.store.read(*self._context.queries_of_head(stream_state), *queries)
        thread_page, lease_page, newest_page, session_page, *other_pages = pages
        if stream_state.version != thread_page.version:
            stream_state.forget()
            stream_state.version = thread_page.version
        self._describe(thread_page.records)
        stream_state.lease = _lease(lease_page.records)
        newest_body = read_checkpoint(newest_page.records[0]) if newest_page.records else None
        if newest_body is not None:
            stream_state.newest = max(stream_state.newest or "", newest_body.id)
            if run_id := newest_body.fields.get("run"):
                stream_state.thread.runs.keep(newest_body.id, run_id)
        stream_head = StreamHead(thread_page.version, session_page.version, newest_body)
        return stream_head, [query_page.records for query_page in other_pages]

    def newest(self) -> CheckpointTuple | None:
        """The checkpoint with the largest id."""
        stream_head, _ = self.head()
        if stream_head.newest is None:
            return None
        checkpoint_body = stream_head.newest
        if self._state.unordered and self._state.newest not in (None, checkpoint_body.id):
            return self.by_id(str(self._state.newest))
        return (
            self._warm(checkpoint_body, stream_head)
            or self._cold(checkpoint_body, stream_head)
            or self.newest()
        )

    def by_id(self, id: str) -> CheckpointTuple | None:
        """A checkpoint by its id."""
        checkpoint_query = Query(self._state.stream, CHECKPOINT, ids=[checkpoints.key(id)])
        stream_head, (checkpoint_records,) = self.head(checkpoint_query)
        if not checkpoint_records:
            return None
        checkpoint_body = read_checkpoint(checkpoint_records[0])
        return (
            self._warm(checkpoint_body, stream_head)
            or self._cold(checkpoint_body, stream_head)
            or self.by_id(id)
        )

    def entry(self, id: str) -> KnownCheckpoint | None:
        """A checkpoint with the keys of its lists, to be built upon."""
        stream_state = self._state
        cached_checkpoint = stream_state.entries.use(id)
        if cached_checkpoint is not None:
            return cached_checkpoint
        checkpoint_body = self.body(id)
        if checkpoint_body is None:
            return None
        loaded_parts = self.loaded_parts()
        loaded_parts.load_keys(list(spans_of(checkpoint_body).values()))
        known_checkpoint = KnownCheckpoint(
            checkpoint_body, self._lists(checkpoint_body, loaded_parts, {})
        )
        stream_state.entries.keep(id, known_checkpoint)
        return known_checkpoint

    def chunks(self, id: str) -> list[WriteChunk]:
        """The pending writes of a checkpoint, as they are stored."""
        stream_state = self._state
        write_chunks = stream_state.chunks.use(id)
        if write_chunks is None:
            loaded_parts = self.loaded_parts()
            loaded_parts.load([], writes=[id])
            write_chunks = loaded_parts.writes_of(id, self.body(id))
            stream_state.chunks.keep(id, write_chunks)
        return write_chunks

    def _describe(self, records: Sequence[Record]) -> None:
        stream_state = self._state
        thread_fields = indispensable(records[0], dict) if records else {}
        stream_state.described = bool(records)
        stream_state.user = thread_fields.get("user")
        stream_state.unordered = bool(thread_fields.get("unordered"))
        stream_state.newest = thread_fields.get("newest", stream_state.newest)
        if (
            None not in (stream_state.user, self._address.user)
            and stream_state.user != self._address.user
        ):
            raise NotOwner(f"thread {shown(self._address.thread)} belongs to another user")

    def _warm(self, body: CheckpointBody, head: StreamHead) -> CheckpointTuple | None:
        """The checkpoint from what this process built before, if that is still all of it."""
        stream_state = self._state
        known_checkpoint = stream_state.entries.use(body.id)
        write_chunks = stream_state.chunks.use(body.id)
        if known_checkpoint is None or write_chunks is None or not self._is_session_unchanged(head):
            return None
        known_lists = KnownLists(known_checkpoint)
        try:
            return self._tuple(known_checkpoint.body, known_lists, write_chunks)
        except LookupError:
            return None

    def _is_session_unchanged(self, head: StreamHead) -> bool:
        stream_state = self._state
        if stream_state.session_version is None:
            return False
        return checkpoints.is_unchanged(
            self._context.memory,
            stream_state.thread.streams.session,
            stream_state.session_version,
            head.session_version,
        )

    def _cold(self, body: CheckpointBody, head: StreamHead) -> CheckpointTuple | None:
        """The checkpoint from the store; `None` = it was deleted meanwhile: read again."""
        stream_state = self._state
        loaded_parts = self.loaded_parts()
        loaded_parts.load([body], writes=[body.id])
        objects_by_channel: dict[str, list[Any]] = {}
        write_chunks = loaded_parts.writes(body)
        loaded_tuple = self._tuple(body, loaded_parts, write_chunks, objects_by_channel)
        if not loaded_parts.is_of(stream_state.version, head.session_version) and self._is_torn(
            [body]
        ):
            return None
        session_version = loaded_parts.session_version
        stream_state.session_version = session_version
        if session_version is not None:
            session_changes.observe(
                self._context, stream_state.thread, session_version, loaded_parts.newest_item
            )
        stream_state.entries.keep(
            body.id, KnownCheckpoint(body, self._lists(body, loaded_parts, objects_by_channel))
        )
        stream_state.chunks.keep(body.id, write_chunks)
        return loaded_tuple

    def _lists(
        self, body: CheckpointBody, loaded_parts: LoadedParts, objects: Mapping[str, list[Any]]
    ) -> dict[str, ListValue]:
        """The lists of a checkpoint as they were read."""
        list_by_channel = {}
        for channel, spans in spans_of(body).items():
            element_keys, group_start_index = keys_of(spans, loaded_parts.segments)
            if len(element_keys) < spans[0].length:
                continue  # a part of it is gone: nothing is built upon it
            if is_last(spans[0], loaded_parts.segments):
                self._state.tips[spans[0].run] = spans[0].segment
            elements = objects.get(channel, [])
            if len(elements) != len(element_keys):  # some are gone, or were not read
                elements = [None] * len(element_keys)
            self._note(element_keys, loaded_parts)
            elements = [
                element if isinstance(element, BaseMessage) else None for element in elements
            ]
            fingerprints = [
                None if element is None else fingerprint(element) for element in elements
            ]
            list_by_channel[channel] = ListValue(
                tuple(spans), element_keys, list(elements), fingerprints, group_start_index
            )
        return list_by_channel

    def _note(self, keys: Sequence[str], loaded_parts: LoadedParts) -> None:
        """Remember which messages are stored, so that no write stores them again."""
        thread_state, item_id_start = self._state.thread, references.DIGEST + 1
        item_id_by_digest = {}
        for element_key in keys:
            if element_key.startswith("{"):
                continue
            if loaded_parts.is_item(element_key):
                item_id_by_digest[element_key[: item_id_start - 1]] = element_key[item_id_start:]
            else:
                thread_state.references.keep(element_key[: item_id_start - 1], element_key)
        if loaded_parts.session_version is not None:
            thread_state.items.keep_all(item_id_by_digest)


def _lease(records: Sequence[Record]) -> Lease | None:
    if not records:
        return None
    lease_fields = json.loads(records[0].body)
    return Lease(lease_fields["run"], float(records[0].expires or 0))
