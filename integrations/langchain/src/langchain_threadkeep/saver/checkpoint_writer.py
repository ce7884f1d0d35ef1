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
        stream_state, now, address = self._state, self._context.store.now(), self._address
        context, run_lifetime = self._context, address.run_object
        run_id = lease.check(context, stream_state, address.thread, parent, metadata, run_lifetime)
        parent_checkpoint = self._reader.entry(parent) if parent else None
        value_writer = ValueWriter(context, stream_state, self._is_tip)
        forms, lists = self._values(value_writer, parent_checkpoint, checkpoint, new_versions)
        checkpoint_body = body_of(checkpoint, parent, forms, metadata, value_writer.encoder, run_id)
        message_writer = MessageWriter(context, stream_state, value_writer, now)
        message_records, element_drops = message_writer.store(parent_checkpoint, lists, address)
        lease_records, lease_drops = lease.renew(
            context, stream_state, run_id, run_lifetime, checkpoint, now
        )
        new_records = [
            *message_records,
            *value_writer.records(now),
            *message_writer.texts(),
            *value_writer.put,
            *self._thread_record(checkpoint_body.id, now),
            *lease_records,
            checkpoint_record(checkpoint_body, now),
        ]
        self._commit(new_records, [*value_writer.drop, *element_drops, *lease_drops])
        self._remember(checkpoint_body, lists, run_id, value_writer.tips)

    def _put_writes(
        self, checkpoint_id: str, writes: Sequence[tuple[str, Any]], task_id: str, path: str
    ) -> None:
        stream_state, now = self._state, self._context.store.now()
        write_chunks = self._reader.chunks(checkpoint_id)
        value_writer = ValueWriter(self._context, stream_state, self._is_tip)
        value_writer.begin_turn(stream_state.entries.use(checkpoint_id))
        new_writes = [
            Write(task_id, path, WRITES_IDX_MAP.get(channel, write_index), channel, stored_form)
            for write_index, (channel, value) in enumerate(writes)
            for stored_form in [value_writer.write(channel, value)]
        ]
        write_chunks, changed_numbers = with_writes(write_chunks, new_writes)
        lease_drops = lease.end_on(stream_state, [channel for channel, _ in writes])
        if not changed_numbers and not lease_drops:
            return
        message_writer = MessageWriter(self._context, stream_state, value_writer, now)
        new_records = [
            *message_writer.elements(value_writer.messages.values()),
            *value_writer.records(now),
            *self._thread_record(None, now),
            *message_writer.texts(),
            *self._write_records(checkpoint_id, write_chunks, changed_numbers, now),
        ]
        self._commit(new_records, lease_drops)
        stream_state.chunks.keep(checkpoint_id, write_chunks)

    def _write_records(
        self, id: str, chunks: Sequence[WriteChunk], chunk_numbers: Sequence[int], now: float
    ) -> Iterator[Record]:
        """The records of changed writes; those that stand first are in the checkpoint's own."""
        for chunk_number in chunk_numbers:
            if chunk_number > 0:
                yield write_record(id, chunk_number - 1, chunks[chunk_number], now)
                continue
            known_checkpoint = self._state.entries.use(id)
            checkpoint_body = (
                self._reader.body(id) if known_checkpoint is None else known_checkpoint.body
            )
            assert checkpoint_body is not None  # noqa: S101 (else the first chunk is closed)
            checkpoint_body = checkpoint_body._replace(writes=chunks[0].writes)
            if known_checkpoint is not None:
                self._state.entries.keep(id, known_checkpoint._replace(body=checkpoint_body))
            yield checkpoint_record(checkpoint_body, now)

    def _values(
        self,
        writer: ValueWriter,
        base: KnownCheckpoint | None,
        checkpoint: Checkpoint,
        new_versions: ChannelVersions,
    ) -> tuple[dict[str, Form], dict[str, ListValue]]:
        """The forms of all channels; those of unchanged channels are taken from the parent."""
        form_by_channel: dict[str, Form] = {}
        list_by_channel: dict[str, ListValue] = {}
        values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
        for channel in dict.fromkeys([*values, *versions]):
            if channel not in new_versions and _is_unchanged(base, channel, versions):
                assert base is not None  # noqa: S101 (for the type checker)
                form_by_channel[channel] = base.body.values[channel]
                if channel in base.lists:
                    list_by_channel[channel] = base.lists[channel]
            elif channel in values:
                old_list = None if base is None else base.lists.get(channel)
                position = values.get(POSITION)
                form_by_channel[channel], new_list = writer.value(
                    channel, values[channel], old_list, position
                )
                if new_list is not None:
                    list_by_channel[channel] = new_list
        return form_by_channel, list_by_channel

    def _thread_record(self, checkpoint_id: str | None, now: float) -> Iterator[Record]:
        """What says whose thread the stream is of; written when that changes."""
        stream_state, user = self._state, self._address.user
        if None not in (stream_state.user, user) and stream_state.user != user:
            raise NotOwner(f"thread {shown(self._address.thread)} belongs to another user")
        is_late = checkpoint_id is not None and stream_state.newest is not None
        is_unordered = stream_state.unordered or (
            is_late and str(checkpoint_id) < str(stream_state.newest)
        )
        owner = stream_state.user or user
        if stream_state.described and owner == stream_state.user and not is_unordered:
            return
        thread_fields: dict[str, Any] = {
            "thread": self._address.thread,
            "namespace": stream_state.namespace,
        }
        if owner is not None:
            thread_fields["user"] = owner
        if is_unordered:
            thread_fields |= {
                "unordered": True,
                "newest": max(checkpoint_id or "", stream_state.newest or ""),
            }
        if not stream_state.described and stream_state.namespace != checkpoints.ROOT:
            self._list_namespace(now)
        stream_state.unordered, stream_state.user = is_unordered, owner
        yield Record(THREAD, THREAD, checkpoints.dumps(thread_fields, "thread"), now)

    def _list_namespace(self, now: float) -> None:
        """List this namespace in the root before the first write to it."""
        thread_id, root_name = self._address.thread, checkpoints.ROOT
        root_state = self._context.states.get(thread_id, root_name)
        with root_state.lock:
            root_writer = Writer(
                self._context, root_state, self._address._replace(namespace=root_name)
            )
            root_writer._retry(lambda: root_writer._add_namespace(self._state.namespace, now))

    def _add_namespace(self, namespace: str, now: float) -> None:
        record = checkpoints.namespace_record(namespace, now)
        self._commit([*self._thread_record(None, now), record], [])

    def _commit(self, put: Sequence[Record], drop: Sequence[Drop]) -> None:
        record_batches = list(checkpoints.batches(put))
        for batch_number, record_batch in enumerate(record_batches or [[]]):
            is_last = batch_number >= len(record_batches) - 1
            self._context.commit(self._state, record_batch, drop if is_last else ())
        self._state.described = self._state.described or bool(put)

    def _remember(
        self,
        body: CheckpointBody,
        list_by_channel: dict[str, ListValue],
        run: str | None,
        segment_by_run: Mapping[str, int],
    ) -> None:
        stream_state = self._state
        stream_state.entries.keep(body.id, KnownCheckpoint(body, list_by_channel))
        stream_state.newest = max(stream_state.newest or "", body.id)
        stream_state.tips.update(segment_by_run)
        if stream_state.chunks.use(body.id) is None:
            stream_state.chunks.keep(body.id, all_chunks(body, []))
        if run is not None:
            stream_state.thread.runs.keep(body.id, run)
        stream_state.puts += 1

    def _is_tip(self, run: str, segment: int) -> bool:
        """Return True if nothing was added to a run behind a segment."""
        stream_state = self._state
        if run not in stream_state.tips:
            following_ids = f"{run}.{segment + 1}", f"{run}.c{max(0, segment) // 32}"
            followers = self._context.store.read(
                Query(stream_state.stream, RUN, ids=following_ids)
            )[0].records
            merged_segments = [
                record
                for record in followers
                if record.id == following_ids[1] and segment % 32 != 31
            ]
            if merged_segments or any(record.id == following_ids[0] for record in followers):
                return False
            stream_state.tips[run] = segment
        return stream_state.tips[run] == segment

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
