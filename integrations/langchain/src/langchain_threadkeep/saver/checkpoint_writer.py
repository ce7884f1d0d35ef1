"""Writes checkpoints and pending writes: messages first, the checkpoint after, in one commit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)

from langchain_threadkeep.saver import lease
from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.encoding import POSITION, ValueWriter
from langchain_threadkeep.saver.list_values import ListValue
from langchain_threadkeep.saver.message_writer import MessageWriter
from langchain_threadkeep.saver.records import (
    THREAD,
    CheckpointBody,
    Write,
    WriteChunk,
    all_chunks,
    body_of,
    checkpoint_record,
    with_writes,
    write_record,
)
from langchain_threadkeep.saver.segments import RUN
from langchain_threadkeep.saver.state import KnownCheckpoint, StreamState
from langchain_threadkeep.saver.values import Form
from threadkeep import Drop, Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.errors import BackendError, Conflict, NotOwner
from threadkeep.printable import shown

T = TypeVar("T")

_TRIES: Final = 64
_LONGEST_WAIT: Final = 0.02


class Writer:
    """Writes to a namespace of a thread, with its state locked.

    Raises:
        NotOwner: in each method, if the thread belongs to another user; nothing was written.
    """

    def __init__(self, context: SaverContext, state: StreamState, address: Address) -> None:
        self._context, self._state, self._address = context, state, address
        self._reader = Reader(context, state, address)

    def put(
        self,
        parent: str | None,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        """Store a checkpoint."""
        try:
            self._retry(lambda: self._put(parent, checkpoint, metadata, new_versions))
        except lease.ThreadBusy as error:
            self._state.thread.refused.keep(checkpoint["id"], str(error))
            raise

    def put_writes(
        self, checkpoint_id: str, writes: Sequence[tuple[str, Any]], task_id: str, path: str
    ) -> None:
        """Store the writes of a task to a checkpoint, which need not be stored yet.

        Those of a run that was refused are not stored, and do not end another run's lease.
        """
        if checkpoint_id in self._state.thread.refused:
            return
        self._retry(lambda: self._put_writes(checkpoint_id, writes, task_id, path))

    def _put(
        self,
        parent: str | None,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        state, now = self._state, self._context.store.now()
        run = lease.check(
            self._context, state, self._address.thread, parent, metadata, self._address.run_object
        )
        base = self._reader.entry(parent) if parent else None
        writer = ValueWriter(self._context, state, self._is_tip)
        values, lists = self._values(writer, base, checkpoint, new_versions)
        body = body_of(checkpoint, parent, values, metadata, writer.encoder, run)
        messages = MessageWriter(self._context, state, writer, now)
        message_records, dropped = messages.store(base, lists, self._address)
        lease_put, lease_drop = lease.renew(
            self._context, state, run, self._address.run_object, checkpoint, now
        )
        put = [
            *message_records,
            *writer.records(now),
            *messages.texts(),
            *writer.put,
            *self._thread_record(body.id, now),
            *lease_put,
            checkpoint_record(body, now),
        ]
        self._commit(put, [*writer.drop, *dropped, *lease_drop])
        self._remember(body, lists, run, writer.tips)

    def _put_writes(
        self, checkpoint_id: str, writes: Sequence[tuple[str, Any]], task_id: str, path: str
    ) -> None:
        state, now = self._state, self._context.store.now()
        chunks = self._reader.chunks(checkpoint_id)
        writer = ValueWriter(self._context, state, self._is_tip)
        writer.begin_turn(state.entries.use(checkpoint_id))
        new = [
            Write(task_id, path, WRITES_IDX_MAP.get(channel, index), channel, form)
            for index, (channel, value) in enumerate(writes)
            for form in [writer.write(channel, value)]
        ]
        chunks, changed = with_writes(chunks, new)
        lease_drop = lease.end_on(state, [channel for channel, _ in writes])
        if not changed and not lease_drop:
            return
        messages = MessageWriter(self._context, state, writer, now)
        put = [
            *messages.elements(writer.messages.values()),
            *writer.records(now),
            *self._thread_record(None, now),
            *messages.texts(),
            *self._write_records(checkpoint_id, chunks, changed, now),
        ]
        self._commit(put, lease_drop)
        state.chunks.keep(checkpoint_id, chunks)

    def _write_records(
        self, id: str, chunks: Sequence[WriteChunk], changed: Sequence[int], now: float
    ) -> Iterator[Record]:
        """The records of changed writes; those that stand first are in the checkpoint's own."""
        for number in changed:
            if number > 0:
                yield write_record(id, number - 1, chunks[number], now)
                continue
            entry = self._state.entries.use(id)
            body = self._reader.body(id) if entry is None else entry.body
            assert body is not None  # noqa: S101 (else the first chunk is closed)
            body = body._replace(writes=chunks[0].writes)
            if entry is not None:
                self._state.entries.keep(id, entry._replace(body=body))
            yield checkpoint_record(body, now)

    def _values(
        self,
        writer: ValueWriter,
        base: KnownCheckpoint | None,
        checkpoint: Checkpoint,
        new_versions: ChannelVersions,
    ) -> tuple[dict[str, Form], dict[str, ListValue]]:
        """The forms of all channels; those of unchanged channels are taken from the parent."""
        values: dict[str, Form] = {}
        lists: dict[str, ListValue] = {}
        channel_values = checkpoint["channel_values"]
        versions = checkpoint["channel_versions"]
        for channel in dict.fromkeys([*channel_values, *versions]):
            if channel not in new_versions and _is_unchanged(base, channel, versions):
                assert base is not None  # noqa: S101 (for the type checker)
                values[channel] = base.body.values[channel]
                if channel in base.lists:
                    lists[channel] = base.lists[channel]
            elif channel in channel_values:
                old = None if base is None else base.lists.get(channel)
                position = channel_values.get(POSITION)
                values[channel], stored = writer.value(
                    channel, channel_values[channel], old, position
                )
                if stored is not None:
                    lists[channel] = stored
        return values, lists

    def _thread_record(self, checkpoint_id: str | None, now: float) -> Iterator[Record]:
        """What says whose thread the stream is of; written when that changes."""
        state, user = self._state, self._address.user
        if None not in (state.user, user) and state.user != user:
            raise NotOwner(f"thread {shown(self._address.thread)} belongs to another user")
        late = checkpoint_id is not None and state.newest is not None
        unordered = state.unordered or (late and str(checkpoint_id) < str(state.newest))
        owner = state.user or user
        if state.described and owner == state.user and not unordered:
            return
        body: dict[str, Any] = {"thread": self._address.thread, "namespace": state.namespace}
        if owner is not None:
            body["user"] = owner
        if unordered:
            body |= {"unordered": True, "newest": max(checkpoint_id or "", state.newest or "")}
        if not state.described and state.namespace != checkpoints.ROOT:
            self._list_namespace(now)
        state.unordered, state.user = unordered, owner
        yield Record(THREAD, THREAD, checkpoints.dumps(body, "thread"), now)

    def _list_namespace(self, now: float) -> None:
        """List this namespace in the root before the first write to it."""
        thread, root_name = self._address.thread, checkpoints.ROOT
        root = self._context.states.get(thread, root_name)
        with root.lock:
            writer = Writer(self._context, root, self._address._replace(namespace=root_name))
            writer._retry(lambda: writer._add_namespace(self._state.namespace, now))

    def _add_namespace(self, namespace: str, now: float) -> None:
        record = checkpoints.namespace_record(namespace, now)
        self._commit([*self._thread_record(None, now), record], [])

    def _commit(self, put: Sequence[Record], drop: Sequence[Drop]) -> None:
        batches = list(checkpoints.batches(put))
        for number, batch in enumerate(batches or [[]]):
            last = number >= len(batches) - 1
            self._context.commit(self._state, batch, drop if last else ())
        self._state.described = self._state.described or bool(put)

    def _remember(
        self,
        body: CheckpointBody,
        lists: dict[str, ListValue],
        run: str | None,
        appended: Mapping[str, int],
    ) -> None:
        state = self._state
        state.entries.keep(body.id, KnownCheckpoint(body, lists))
        state.newest = max(state.newest or "", body.id)
        state.tips.update(appended)
        if state.chunks.use(body.id) is None:
            state.chunks.keep(body.id, all_chunks(body, []))
        if run is not None:
            state.thread.runs.keep(body.id, run)
        state.puts += 1

    def _is_tip(self, run: str, segment: int) -> bool:
        """Return True if nothing was added to a run behind a segment."""
        state = self._state
        if run not in state.tips:
            following = f"{run}.{segment + 1}", f"{run}.c{max(0, segment) // 32}"
            followers = self._context.store.read(Query(state.stream, RUN, ids=following))[0].records
            merged = [r for r in followers if r.id == following[1] and segment % 32 != 31]
            if merged or any(record.id == following[0] for record in followers):
                return False
            state.tips[run] = segment
        return state.tips[run] == segment

    def _retry(self, step: Callable[[], T]) -> T:
        """Run a step at the current version of the stream, again if another process wrote."""
        for attempt in range(_TRIES):
            if self._state.version is None:
                self._reader.head()
            try:
                return step()
            except lease.ThreadBusy:
                raise
            except Conflict:
                self._state.forget()
                if attempt and self._context.memory.backend.blocking:
                    time.sleep(random.uniform(0, _LONGEST_WAIT))  # noqa: S311 (not for secrets)
            except BaseException:
                self._state.forget()  # what was written of it is unknown
                raise
        raise BackendError(
            f"thread {shown(self._address.thread)} was changed by others at each of {_TRIES} "
            "tries; try again"
        )


def _is_unchanged(base: KnownCheckpoint | None, channel: str, versions: Mapping[str, Any]) -> bool:
    return (
        base is not None
        and channel in base.body.values
        and channel in versions
        and base.body.versions.get(channel) == versions[channel]
    )
