"""Reads checkpoints: the newest, one by its id, and those of a thread page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple

from langchain_threadkeep.saver import references, session_changes
from langchain_threadkeep.saver.checkpoint_loader import Library
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.lists import ListValue, Span, is_last, keys_of
from langchain_threadkeep.saver.records import (
    CHECKPOINT,
    LEASE,
    THREAD,
    CheckpointBody,
    WriteChunk,
    ordered,
    read_checkpoint,
)
from langchain_threadkeep.saver.references import fingerprint
from langchain_threadkeep.saver.state import Entry, Lease, StreamState
from langchain_threadkeep.saver.values import MISSING, Decoder
from threadkeep import Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.errors import NotOwner

_PAGE: Final = 20
_REREADS: Final = 3
"""How often a checkpoint is read again that others delete or prune at the same time."""

_OURS: Final = ("extra", "run")

MISSING_KEY: Final = "threadkeep_missing"
"""The key of a checkpoint's metadata that says how many of its messages are gone."""


class Address(NamedTuple):
    """Where a checkpoint is, or those of a thread are.

    Attributes:
        thread: the id of the thread.
        user: on whose behalf; `None` = the operator.
        namespace: `""` is the root.
        given: the thread's id as the caller gave it.
        run_object: lives as long as the run of a graph that calls; `None` = it is none, but, for
            example, `update_state`.
    """

    thread: str
    user: str | None
    namespace: str
    given: Any
    run_object: Any = None

    def config(self, checkpoint_id: str) -> RunnableConfig:
        """The config of one of its checkpoints."""
        return {
            "configurable": {
                "thread_id": self.given,
                "checkpoint_ns": self.namespace,
                "checkpoint_id": checkpoint_id,
            }
        }


class Head(NamedTuple):
    """The newest state of a stream: its version, the session's, and the newest checkpoint."""

    version: int
    session_version: int
    newest: CheckpointBody | None


class Reader:
    """Reads the checkpoints of a namespace of a thread, with its state locked.

    Raises:
        NotOwner: in each method, if the thread belongs to another user.
    """

    def __init__(self, context: SaverContext, state: StreamState, address: Address) -> None:
        self._context = context
        self._state = state
        self._address = address
        self._rereads = 0

    def head(self, *queries: Query) -> tuple[Head, list[list[Record]]]:
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
        head = Head(thread.version, session.version, body)
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

    def entry(self, id: str) -> Entry | None:
        """A checkpoint with the keys of its lists, to be built upon."""
        state = self._state
        known = state.entries.use(id)
        if known is not None:
            return known
        body = self.body(id)
        if body is None:
            return None
        library = self._library()
        library.load_keys(list(spans_of(body).values()))
        entry = Entry(body, self._lists(body, library, {}))
        state.entries.keep(id, entry)
        return entry

    def body(self, id: str) -> CheckpointBody | None:
        """A checkpoint as it is stored."""
        query = Query(self._state.stream, CHECKPOINT, ids=[checkpoints.key(id)])
        records = self._context.store.read(query)[0].records
        return read_checkpoint(records[0]) if records else None

    def seq(self, id: str) -> int | None:
        """The place of a checkpoint; `None` = it is not there."""
        body = self.body(id)
        return None if body is None else body.seq

    def chunks(self, id: str) -> list[WriteChunk]:
        """The pending writes of a checkpoint, as they are stored."""
        state = self._state
        known = state.chunks.use(id)
        if known is None:
            library = self._library()
            library.load([], writes=[id])
            known = library.writes_of(id, self.body(id))
            state.chunks.keep(id, known)
        return known

    def page(self, before: int | None, limit: int) -> list[CheckpointBody]:
        """Checkpoints, the newest first."""
        query = Query(self._state.stream, CHECKPOINT, limit=limit, newest=True, before=before)
        records = self._context.store.read(query)[0].records
        return [read_checkpoint(record) for record in reversed(records)]

    def all_pages(self, before: int | None = None, size: int = _PAGE) -> Iterator[CheckpointBody]:
        """All checkpoints, the newest first."""
        while page := self.page(before, size):
            yield from page
            if len(page) < size:
                return
            before = page[-1].seq

    def tuples(self, bodies: Sequence[CheckpointBody]) -> list[CheckpointTuple]:
        """Checkpoints with all that belongs to them."""
        library = self._library()
        library.load(bodies, writes=[body.id for body in bodies])
        found = [self._tuple(body, library, library.writes(body)) for body in bodies]
        if library.is_of(self._state.version, None) or not self._is_torn(bodies):
            return found
        return self.tuples(self._still_there(bodies))

    def _is_torn(self, bodies: Sequence[CheckpointBody]) -> bool:
        """Return True if a checkpoint was deleted while what it refers to was read."""
        if self._rereads == _REREADS or len(self._still_there(bodies)) == len(bodies):
            return False
        self._rereads += 1
        return True

    def _still_there(self, bodies: Sequence[CheckpointBody]) -> list[CheckpointBody]:
        """Without those that were deleted since they were read."""
        ids = {checkpoints.key(body.id): body for body in bodies}
        query = Query(self._state.stream, CHECKPOINT, ids=list(ids))
        present = {record.id for record in self._context.store.read(query)[0].records}
        return [body for id, body in ids.items() if id in present]

    def metadata(self, body: CheckpointBody) -> CheckpointMetadata:
        """The metadata of a checkpoint."""
        library = self._library()
        if any(isinstance(form, dict) for form in body.metadata.values()):
            library.load([body._replace(values={})])
        decoder = Decoder(self._context.serde, library)
        return _metadata(body, decoder)

    def library(self) -> Library:
        """What is read for some checkpoints at once."""
        return self._library()

    def _describe(self, records: Sequence[Record]) -> None:
        state = self._state
        described = json.loads(records[0].body) if records else {}
        state.described = bool(records)
        state.user = described.get("user")
        state.unordered = bool(described.get("unordered"))
        state.newest = described.get("newest", state.newest)
        if None not in (state.user, self._address.user) and state.user != self._address.user:
            raise NotOwner(f"thread {self._address.thread!r} belongs to another user")

    def _warm(self, body: CheckpointBody, head: Head) -> CheckpointTuple | None:
        """The checkpoint from what this process built before, if that is still all of it."""
        state = self._state
        entry, chunks = state.entries.use(body.id), state.chunks.use(body.id)
        if entry is None or chunks is None or not self._is_session_unchanged(head):
            return None
        known = _Known(entry)
        try:
            return self._tuple(entry.body, known, chunks)
        except LookupError:
            return None

    def _is_session_unchanged(self, head: Head) -> bool:
        state = self._state
        if state.session_version is None:
            return False
        return checkpoints.is_unchanged(
            self._context.memory,
            state.thread.streams.session,
            state.session_version,
            head.session_version,
        )

    def _cold(self, body: CheckpointBody, head: Head) -> CheckpointTuple | None:
        """The checkpoint from the store; `None` = it was deleted meanwhile: read again."""
        state = self._state
        library = self._library()
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
        state.entries.keep(body.id, Entry(body, self._lists(body, library, objects)))
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

    def _tuple(
        self,
        body: CheckpointBody,
        library: Any,
        chunks: Sequence[WriteChunk],
        objects: dict[str, list[Any]] | None = None,
    ) -> CheckpointTuple:
        decoder = Decoder(self._context.serde, library)
        values = {}
        for channel, form in body.values.items():
            value = decoder.decode(form)
            if value is not MISSING:
                values[channel] = value
            if objects is not None and isinstance(form, dict) and "r" in form:
                objects[channel] = value
        writes = [
            (write.task_id, write.channel, value)
            for write in ordered(chunks)
            if (value := decoder.decode(write.form)) is not MISSING
        ]
        return CheckpointTuple(
            config=self._address.config(body.id),
            checkpoint=_checkpoint(body, values, decoder),
            metadata=_metadata(body, decoder),
            parent_config=self._address.config(body.parent) if body.parent else None,
            pending_writes=writes,
        )

    def _library(self) -> Library:
        context = self._context
        return Library(
            context.store, self._state.thread.streams, self._address.namespace, context.serde
        )


class _Known:
    """The lists of an entry, for the decoder; all else raises `LookupError`."""

    def __init__(self, entry: Entry) -> None:
        self._lists = {value.spans: value for value in entry.lists.values()}

    def long_list(self, spans: Sequence[Any]) -> list[Any]:
        value = self._lists[tuple(Span(*span) for span in spans)]
        if not value.complete:
            raise LookupError("an element is not at hand as it is stored")
        return list(value.objects)

    def message(self, reference: str) -> Any:
        raise LookupError(reference)

    def text(self, name: str) -> Any:
        raise LookupError(name)

    def large(self, name: str, parts: int) -> Any:
        raise LookupError(name)


def spans_of(body: CheckpointBody) -> dict[str, list[Span]]:
    """The spans of the long lists among the values of a checkpoint, by channel."""
    return {
        channel: [Span(*span) for span in form["r"]]
        for channel, outer in body.values.items()
        if isinstance(form := snapshot_of(outer), dict) and "r" in form
    }


def snapshot_of(form: Any) -> Any:
    """The form inside a snapshot of a `DeltaChannel`, or the form itself."""
    return form["D"] if isinstance(form, dict) and "D" in form else form


def _checkpoint(body: CheckpointBody, values: dict[str, Any], decoder: Decoder) -> Checkpoint:
    fields = json.loads(json.dumps({k: v for k, v in body.fields.items() if k not in _OURS}))
    extra = {k: decoder.decode(form) for k, form in body.fields.get("extra", {}).items()}
    checkpoint: Any = {**fields, "id": body.id, "channel_values": values, **extra}
    return checkpoint  # type: ignore[no-any-return]


def _metadata(body: CheckpointBody, decoder: Decoder) -> CheckpointMetadata:
    metadata: Any = {name: decoder.decode(form) for name, form in body.metadata.items()}
    if decoder.missing:
        metadata[MISSING_KEY] = decoder.missing
    return metadata  # type: ignore[no-any-return]


def _lease(records: Sequence[Record]) -> Lease | None:
    if not records:
        return None
    body = json.loads(records[0].body)
    return Lease(body["run"], float(records[0].expires or 0))


__all__ = ["LEASE", "THREAD", "Address", "Reader", "spans_of"]
