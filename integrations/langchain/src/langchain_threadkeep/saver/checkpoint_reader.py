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
from langchain_threadkeep.saver.library import Library
from langchain_threadkeep.saver.list_values import ListValue
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
        state = self._state
        pages = self._context.store.read(*self._context.queries_of_head(state), *queries)
        thread, lease, newest, session, *others = pages
        if state.version != thread.version:
            state.forget()
            state.version = thread.version
        self._describe(thread.records)
        state.lease = _lease(lease.records)
        body = read_checkpoint(newest.records[0]) if newest.records else None
        if body is not None:
            state.newest = max(state.newest or "", body.id)
            if run := body.fields.get("run"):
                state.thread.runs.keep(body.id, run)
        head = StreamHead(thread.version, session.version, body)
        return head, [page.records for page in others]

    def newest(self) -> CheckpointTuple | None:
        """The checkpoint with the largest id."""
        head, _ = self.head()
        if head.newest is None:
            return None
        body = head.newest
        if self._state.unordered and self._state.newest not in (None, body.id):
            return self.by_id(str(self._state.newest))
        return self._warm(body, head) or self._cold(body, head) or self.newest()

    def by_id(self, id: str) -> CheckpointTuple | None:
        """A checkpoint by its id."""
        query = Query(self._state.stream, CHECKPOINT, ids=[checkpoints.key(id)])
        head, (records,) = self.head(query)
        if not records:
            return None
        body = read_checkpoint(records[0])
        return self._warm(body, head) or self._cold(body, head) or self.by_id(id)

    def entry(self, id: str) -> KnownCheckpoint | None:
        """A checkpoint with the keys of its lists, to be built upon."""
        state = self._state
        cached = state.entries.use(id)
        if cached is not None:
            return cached
        body = self.body(id)
        if body is None:
            return None
        library = self.library()
        library.load_keys(list(spans_of(body).values()))
        entry = KnownCheckpoint(body, self._lists(body, library, {}))
        state.entries.keep(id, entry)
        return entry

    def chunks(self, id: str) -> list[WriteChunk]:
        """The pending writes of a checkpoint, as they are stored."""
        state = self._state
        cached = state.chunks.use(id)
        if cached is None:
            library = self.library()
            library.load([], writes=[id])
            cached = library.writes_of(id, self.body(id))
            state.chunks.keep(id, cached)
        return cached

    def _describe(self, records: Sequence[Record]) -> None:
        state = self._state
        described = indispensable(records[0], dict) if records else {}
        state.described = bool(records)
        state.user = described.get("user")
        state.unordered = bool(described.get("unordered"))
        state.newest = described.get("newest", state.newest)
        if None not in (state.user, self._address.user) and state.user != self._address.user:
            raise NotOwner(f"thread {shown(self._address.thread)} belongs to another user")

    def _warm(self, body: CheckpointBody, head: StreamHead) -> CheckpointTuple | None:
        """The checkpoint from what this process built before, if that is still all of it."""
        state = self._state
        entry, chunks = state.entries.use(body.id), state.chunks.use(body.id)
        if entry is None or chunks is None or not self._is_session_unchanged(head):
            return None
        cached = KnownLists(entry)
        try:
            return self._tuple(entry.body, cached, chunks)
        except LookupError:
            return None

    def _is_session_unchanged(self, head: StreamHead) -> bool:
        state = self._state
        if state.session_version is None:
            return False
        return checkpoints.is_unchanged(
            self._context.memory,
            state.thread.streams.session,
            state.session_version,
            head.session_version,
        )

    def _cold(self, body: CheckpointBody, head: StreamHead) -> CheckpointTuple | None:
        """The checkpoint from the store; `None` = it was deleted meanwhile: read again."""
        state = self._state
        library = self.library()
        library.load([body], writes=[body.id])
        objects: dict[str, list[Any]] = {}
        chunks = library.writes(body)
        loaded = self._tuple(body, library, chunks, objects)
        if not library.is_of(state.version, head.session_version) and self._is_torn([body]):
            return None
        version = library.session_version
        state.session_version = version
        if version is not None:
            session_changes.observe(self._context, state.thread, version, library.newest_item)
        state.entries.keep(body.id, KnownCheckpoint(body, self._lists(body, library, objects)))
        state.chunks.keep(body.id, chunks)
        return loaded

    def _lists(
        self, body: CheckpointBody, library: Library, objects: Mapping[str, list[Any]]
    ) -> dict[str, ListValue]:
        """The lists of a checkpoint as they were read."""
        lists = {}
        for channel, spans in spans_of(body).items():
            keys, group = keys_of(spans, library.segments)
            if len(keys) < spans[0].length:
                continue  # a part of it is gone: nothing is built upon it
            if is_last(spans[0], library.segments):
                self._state.tips[spans[0].run] = spans[0].segment
            elements = objects.get(channel, [])
            if len(elements) != len(keys):  # some are gone, or were not read
                elements = [None] * len(keys)
            self._note(keys, library)
            elements = [e if isinstance(e, BaseMessage) else None for e in elements]
            prints = [None if e is None else fingerprint(e) for e in elements]
            lists[channel] = ListValue(tuple(spans), keys, list(elements), prints, group)
        return lists

    def _note(self, keys: Sequence[str], library: Library) -> None:
        """Remember which messages are stored, so that no write stores them again."""
        thread, start = self._state.thread, references.DIGEST + 1
        items = {}
        for key in keys:
            if key.startswith("{"):
                continue
            if library.is_item(key):
                items[key[: start - 1]] = key[start:]
            else:
                thread.references.keep(key[: start - 1], key)
        if library.session_version is not None:
            thread.items.keep_all(items)


def _lease(records: Sequence[Record]) -> Lease | None:
    if not records:
        return None
    body = json.loads(records[0].body)
    return Lease(body["run"], float(records[0].expires or 0))
