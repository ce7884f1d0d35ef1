"""The records of checkpoints and of pending writes: their kinds, ids and bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from langgraph.checkpoint.base import Checkpoint

from langchain_threadkeep.saver.stored_json import indispensable
from langchain_threadkeep.saver.value_encoder import Encoder
from langchain_threadkeep.saver.values import Form
from threadkeep import Record
from threadkeep.adapters import checkpoints

CHECKPOINT: Final = "checkpoint"
WRITE: Final = "write"
ELEMENT: Final = "element"
TEXT: Final = "t."
"""What the id of an element begins with that holds a text, or says which message says it."""

VALUE: Final = "value"
THREAD: Final = "thread"
LEASE: Final = "lease"

SPECULATIVE_CHUNKS: Final = 3
"""The records of a checkpoint's writes that are asked for before it is known how many there are."""

_CHUNK: Final = 16_000
"""Characters from which a new record of writes begins."""

_SMALL: Final = 900
"""Characters up to which a checkpoint's record also holds its writes."""

CLOSED: Final = 10**9
"""The size of writes beside a checkpoint that is not stored yet."""

_PLAIN_KEYS: Final = frozenset({"v", "ts", "channel_versions", "versions_seen", "updated_channels"})
_OWN_KEYS: Final = _PLAIN_KEYS | {"id", "channel_values"}


class Write(NamedTuple):
    """A pending write: the task's id, path and index, the channel, and the value's form."""

    task_id: str
    path: str
    number: int
    channel: str
    form: Form


class WriteChunk(NamedTuple):
    """Some writes of a checkpoint, in one record."""

    writes: tuple[Write, ...]
    size: int


class CheckpointBody(NamedTuple):
    """A checkpoint as it is stored.

    Attributes:
        id: of the checkpoint.
        parent: the id of the checkpoint before it.
        fields: all keys of the checkpoint but its values; extra keys as forms.
        values: the form of each channel's value.
        metadata: its form.
        writes: pending writes that are in its record.
        seq: of its record; 0 = not stored yet.
    """

    id: str
    parent: str | None
    fields: dict[str, Any]
    values: dict[str, Form]
    metadata: dict[str, Form]
    writes: tuple[Write, ...] = ()
    seq: int = 0

    @property
    def versions(self) -> dict[str, Any]:
        """The version of each channel."""
        versions: dict[str, Any] = self.fields["channel_versions"]
        return versions


def body_of(
    checkpoint: Checkpoint,
    parent: str | None,
    values: dict[str, Form],
    metadata: Mapping[str, Any],
    encoder: Encoder,
    run: str | None,
) -> CheckpointBody:
    """A checkpoint, to be stored; `run` is the run that wrote it, if it is known."""
    checkpoint_fields: dict[str, Any] = {
        field_name: value for field_name, value in checkpoint.items() if field_name in _PLAIN_KEYS
    }
    extra_fields = {
        field_name: encoder.encode(value)
        for field_name, value in checkpoint.items()
        if field_name not in _OWN_KEYS
    }
    if extra_fields:
        checkpoint_fields["extra"] = extra_fields
    if run is not None:
        checkpoint_fields["run"] = run
    metadata_forms = {field_name: encoder.encode(value) for field_name, value in metadata.items()}
    return CheckpointBody(checkpoint["id"], parent, checkpoint_fields, values, metadata_forms)


def checkpoint_record(body: CheckpointBody, now: float) -> Record:
    """The record of a checkpoint."""
    checkpoint_fields = {
        "parent": body.parent,
        **body.fields,
        "values": body.values,
        "metadata": body.metadata,
    }
    if body.writes:
        checkpoint_fields["writes"] = [list(write) for write in body.writes]
    record_key = checkpoints.key(body.id)
    if record_key != body.id:
        checkpoint_fields["id"] = body.id
    return Record(CHECKPOINT, record_key, checkpoints.dumps(checkpoint_fields, "checkpoint"), now)


def read_checkpoint(record: Record) -> CheckpointBody:
    """The checkpoint of a record.

    Raises:
        CorruptRecord: it cannot be read.
    """
    checkpoint_fields = indispensable(record, dict)
    parent_id, channel_forms, metadata_forms = (
        checkpoint_fields.pop(field_name) for field_name in ("parent", "values", "metadata")
    )
    writes = tuple(Write(*write) for write in checkpoint_fields.pop("writes", ()))
    checkpoint_id = checkpoint_fields.pop("id", record.id)
    return CheckpointBody(
        checkpoint_id,
        parent_id,
        checkpoint_fields,
        channel_forms,
        metadata_forms,
        writes,
        record.seq,
    )


def write_ids(checkpoint_id: str, first_number: int, count: int) -> list[str]:
    """The ids of records of a checkpoint's writes."""
    checkpoint_key = checkpoints.key(checkpoint_id)
    return [
        checkpoint_key
        if record_number == 0
        else checkpoints.key(f"{checkpoint_key}.{record_number}")
        for record_number in range(first_number, first_number + count)
    ]


def write_record(checkpoint_id: str, number: int, chunk: WriteChunk, now: float) -> Record:
    """The record of some writes of a checkpoint."""
    (record_id,) = write_ids(checkpoint_id, number, 1)
    return Record(
        WRITE, record_id, checkpoints.dumps([list(write) for write in chunk.writes], "writes"), now
    )


def read_writes(record: Record) -> WriteChunk:
    """The writes of a record.

    Raises:
        CorruptRecord: they cannot be read.
    """
    writes = tuple(Write(*write_fields) for write_fields in indispensable(record, list))
    return WriteChunk(writes, len(record.body))


def ordered(chunks: Sequence[WriteChunk]) -> list[Write]:
    """All writes of a checkpoint, in the order in which a step applies them."""
    writes = [write for write_chunk in chunks for write in write_chunk.writes]
    # as langgraph.checkpoint.base.writes_sort_key, which came with langgraph-checkpoint 4.3
    return sorted(writes, key=lambda write: (write.path, write.task_id, write.number))


def all_chunks(body: CheckpointBody | None, chunks: Sequence[WriteChunk]) -> list[WriteChunk]:
    """The writes of a checkpoint: those in its own record first, then those in others.

    Args:
        body: the checkpoint; `None` = it is not stored yet.
        chunks: of the other records.
    """
    writes = () if body is None else body.writes
    chunk_size = CLOSED if body is None or chunks else sum(len(str(write)) for write in writes)
    return [WriteChunk(writes, chunk_size), *chunks]


def with_writes(
    chunks: Sequence[WriteChunk], writes: Sequence[Write]
) -> tuple[list[WriteChunk], list[int]]:
    """The chunks with more writes, and the numbers of those that changed.

    A write of an index from 0 on is never changed; special ones, such as errors, are replaced.
    """
    new_chunks, changed_numbers = list(chunks), set[int]()
    for write in writes:
        existing_number = _place(new_chunks, write)
        if existing_number is not None and write.number >= 0:
            continue
        write_size = len(str(write.form)) + 100
        chunk_number = (
            existing_number if existing_number is not None else _open_chunk(new_chunks, write_size)
        )
        new_chunks[chunk_number] = _put(new_chunks[chunk_number], write, write_size)
        changed_numbers.add(chunk_number)
    return new_chunks, sorted(changed_numbers)


def value_records(large: Mapping[str, Sequence[str]], now: float) -> Iterator[Record]:
    """The records of large values, in parts."""
    for value_name, value_parts in large.items():
        for part_number, part in enumerate(value_parts):
            yield Record(
                VALUE, f"{value_name}.{part_number}", checkpoints.dumps(part, "value"), now
            )


def _place(chunks: Sequence[WriteChunk], write: Write) -> int | None:
    """The chunk that has a write of the same task and index."""
    for chunk_number, write_chunk in enumerate(chunks):
        for existing_write in write_chunk.writes:
            if (existing_write.task_id, existing_write.number) == (write.task_id, write.number):
                return chunk_number
    return None


def _open_chunk(chunks: list[WriteChunk], size: int) -> int:
    if len(chunks) == 1 and chunks[0].size + size <= _SMALL // 2:
        return 0
    if len(chunks) == 1 or chunks[-1].size > _CHUNK:
        chunks.append(WriteChunk((), 0))
    return len(chunks) - 1


def _put(chunk: WriteChunk, write: Write, size: int) -> WriteChunk:
    other_writes = tuple(
        existing_write
        for existing_write in chunk.writes
        if (existing_write.task_id, existing_write.number) != (write.task_id, write.number)
    )
    return WriteChunk((*other_writes, write), chunk.size + size)
