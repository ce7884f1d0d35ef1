"""Deletes, copies and prunes the checkpoints of threads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.checkpoint_tuples import spans_of
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.loaded_parts import LoadedParts
from langchain_threadkeep.saver.records import (
    CHECKPOINT,
    ELEMENT,
    THREAD,
    VALUE,
    WRITE,
    CheckpointBody,
)
from langchain_threadkeep.saver.segments import RUN, segment_ids, unmerged_ids
from langchain_threadkeep.saver.stored_json import indispensable, parsed
from langchain_threadkeep.saver.used_parts import used_by
from threadkeep import Drop, Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.errors import Conflict, NotFound
from threadkeep.printable import shown

Strategy = Literal["keep_latest", "delete"]

_PAGE: Final = 500
_DELTA_COUNTERS: Final = "counters_since_delta_snapshot"
"""Of the metadata: by `DeltaChannel`, how much was written since its value was stored whole."""
_COPIED: Final = (RUN, VALUE, ELEMENT, WRITE, CHECKPOINT)


class StreamOwner(NamedTuple):
    """Whose a stream is, as it says itself."""

    thread: str
    namespace: str
    user: str | None


def owners(context: SaverContext) -> Iterator[StreamOwner]:
    """The streams of all threads in the store.

    Raises:
        CorruptRecord: it cannot be read whose one of them is.
    """
    cursor: Any = None
    stream_prefix = checkpoints.checkpoint_prefix(context.memory)
    while True:
        stream_names, cursor = context.store.streams(stream_prefix, cursor=cursor, limit=_PAGE)
        queries = [Query(name, THREAD, ids=[THREAD]) for name in dict.fromkeys(stream_names)]
        for thread_page in context.store.read(*queries) if queries else []:
            for record in thread_page.records:
                thread_fields = indispensable(record, dict)
                yield StreamOwner(
                    thread_fields["thread"], thread_fields["namespace"], thread_fields.get("user")
                )
        if cursor is None:
            return


def delete_thread(context: SaverContext, thread: str, *, keep_session: bool) -> None:
    """Delete the checkpoints of a thread, and its session unless that is to stay."""
    user = _owner(context, thread)
    checkpoints.delete_checkpoints(context.memory, thread)
    context.states.drop(thread)
    if not keep_session:
        checkpoints.delete_session(context.memory, thread, user)


def delete_for_runs(context: SaverContext, run_ids: Collection[str]) -> None:
    """Delete all checkpoints of runs, in all threads."""
    for stream_owner in list(owners(context)):
        address = Address(stream_owner.thread, None, stream_owner.namespace, stream_owner.thread)
        stream_state = context.states.get(stream_owner.thread, stream_owner.namespace)
        with stream_state.lock:
            checkpoint_reader = Reader(context, stream_state, address)
            run_bodies = [
                checkpoint_body
                for checkpoint_body in checkpoint_reader.all_pages()
                if _run_id(checkpoint_reader, checkpoint_body) in run_ids
            ]
            _drop_checkpoints(
                context, stream_state.stream, [checkpoint_body.id for checkpoint_body in run_bodies]
            )
            stream_state.forget()


def copy_thread(context: SaverContext, source: str, target: str) -> None:
    """Copy a thread with its session; nothing happens if there is none.

    Raises:
        Conflict: the target exists.
    """
    user = _owner(context, source)
    root_state = context.states.get(target, checkpoints.ROOT)
    if context.store.read(Query(root_state.stream, THREAD, limit=1))[0].version:
        raise Conflict(f"thread {shown(target)} exists already: delete it, or choose another id")
    source_streams = context.states.get(source, checkpoints.ROOT).thread.streams
    with suppress(NotFound):  # no message was said
        checkpoints.fork_session(context.memory, source, target, user)
    for namespace in source_streams.namespaces():
        _copy_stream(context, source, target, namespace, user)
    context.states.drop(target)


def prune(context: SaverContext, threads: Sequence[str], strategy: Strategy) -> None:
    """Keep only the newest checkpoint of each namespace, or none."""
    for thread in threads:
        if strategy == "delete":
            delete_thread(context, thread, keep_session=True)
            continue
        thread_streams = context.states.get(thread, checkpoints.ROOT).thread.streams
        for namespace in list(thread_streams.namespaces()):
            keep_latest(context, thread, namespace, 1, collect=True)


def keep_latest(
    context: SaverContext, thread: str, namespace: str, count: int, *, collect: bool
) -> None:
    """Keep the newest checkpoints of a namespace, and what they are rebuilt from.

    Args:
        context: the store.
        thread: its id.
        namespace: of the thread.
        count: how many checkpoints stay.
        collect: also delete what no checkpoint refers to any more.
    """
    stream_state = context.states.get(thread, namespace)
    address = Address(thread, None, namespace, thread)
    with stream_state.lock:
        checkpoint_reader = Reader(context, stream_state, address)
        checkpoint_reader.head()
        bodies = sorted(checkpoint_reader.all_pages(), key=lambda body: body.id, reverse=True)
        remaining_bodies = [
            *bodies[:count],
            *_ancestors(checkpoint_reader, bodies, bodies[:count]),
        ]
        remaining_ids = {checkpoint_body.id for checkpoint_body in remaining_bodies}
        _drop_checkpoints(
            context,
            stream_state.stream,
            [
                checkpoint_body.id
                for checkpoint_body in bodies
                if checkpoint_body.id not in remaining_ids
            ],
        )
        if collect:
            _collect(context, address, remaining_bodies)
        stream_state.forget()


def _ancestors(
    reader: Reader, bodies: Sequence[CheckpointBody], remaining_bodies: Sequence[CheckpointBody]
) -> Iterator[CheckpointBody]:
    """The checkpoints whose writes rebuild the `DeltaChannel`s of those that stay."""
    body_by_id = {ancestor_body.id: ancestor_body for ancestor_body in bodies}
    for ancestor_body in remaining_bodies:
        missing_channels = _delta_channels(reader, ancestor_body) - ancestor_body.values.keys()
        while missing_channels and ancestor_body.parent in body_by_id:
            ancestor_body = body_by_id[ancestor_body.parent]
            yield ancestor_body
            missing_channels -= ancestor_body.values.keys()


def _delta_channels(reader: Reader, body: CheckpointBody) -> set[str]:
    """The channels whose value is rebuilt from the writes of ancestors."""
    if _DELTA_COUNTERS not in body.metadata:
        return set()
    metadata: Mapping[str, Any] = reader.metadata(body)
    return set(metadata.get(_DELTA_COUNTERS) or ())


def _collect(context: SaverContext, address: Address, remaining: Sequence[CheckpointBody]) -> None:
    """Delete segments, values, elements and writes that nothing refers to."""
    stream_state = context.states.get(address.thread, address.namespace)
    loaded_parts = LoadedParts(
        context.store, stream_state.thread.streams, address.namespace, context.serde
    )
    loaded_parts.load(remaining, writes=[checkpoint_body.id for checkpoint_body in remaining])
    used_parts = used_by(loaded_parts, remaining)
    used_segments = {
        segment_id
        for checkpoint_body in remaining
        for spans in spans_of(checkpoint_body).values()
        for segment_id in (
            *segment_ids(spans),
            *(segment_id for span in spans for segment_id in unmerged_ids(span)),
        )
    }
    for record_kind, used_ids in (
        (RUN, used_segments),
        (VALUE, used_parts.values),
        (ELEMENT, used_parts.elements),
    ):
        _drop_others(context, stream_state.stream, record_kind, used_ids)


def _drop_others(context: SaverContext, stream: str, kind: str, used_ids: set[str]) -> None:
    _drop(
        context,
        stream,
        kind,
        [record.id for record in _records(context, stream, kind) if record.id not in used_ids],
    )


def _drop_checkpoints(context: SaverContext, stream: str, ids: Sequence[str]) -> None:
    """Delete checkpoints, then their writes."""
    checkpoint_keys = set(map(checkpoints.key, ids))
    _drop(context, stream, CHECKPOINT, list(checkpoint_keys))
    if checkpoint_keys:
        write_record_ids = [record.id for record in _records(context, stream, WRITE)]
        _drop(
            context,
            stream,
            WRITE,
            [
                write_record_id
                for write_record_id in write_record_ids
                if _belongs(write_record_id, checkpoint_keys)
            ],
        )


def _belongs(write_id: str, keys: set[str]) -> bool:
    return write_id in keys or write_id.rpartition(".")[0] in keys


def _drop(context: SaverContext, stream: str, kind: str, ids: Sequence[str]) -> None:
    for batch_start in range(0, len(ids), _PAGE):
        id_drops = [Drop(kind, ids[batch_start : batch_start + _PAGE])]
        context.store.commit(stream, drop=id_drops, ttl=context.options.ttl)


def _copy_stream(
    context: SaverContext, source: str, target: str, namespace: str, user: str | None
) -> None:
    source_stream = context.states.get(source, namespace).stream
    target_state = context.states.get(target, namespace)
    thread_fields = {"thread": target, "namespace": namespace} | ({"user": user} if user else {})
    now = context.store.now()
    thread_record = Record(THREAD, THREAD, checkpoints.dumps(thread_fields, "thread"), now)
    if namespace != checkpoints.ROOT:
        root_stream = context.states.get(target, checkpoints.ROOT).stream
        namespace_record = checkpoints.namespace_record(namespace, now)
        context.store.commit(root_stream, put=[namespace_record], ttl=context.options.ttl)
    source_records = (
        record
        for record_kind in _COPIED
        for record in _records(context, source_stream, record_kind)
    )
    records_to_put = [thread_record, *(replace(record, seq=0) for record in source_records)]
    if (
        len(records_to_put) == 1
        and namespace == checkpoints.ROOT
        and not _exists(context, source_stream)
    ):
        return
    for record_batch in checkpoints.batches(records_to_put):
        context.store.commit(target_state.stream, put=record_batch, ttl=context.options.ttl)


def _exists(context: SaverContext, stream: str) -> bool:
    return bool(context.store.read(Query(stream, THREAD, limit=1))[0].records)


def _records(context: SaverContext, stream: str, kind: str) -> Iterator[Record]:
    after_seq = None
    while True:
        page_records = context.store.read(Query(stream, kind, limit=_PAGE, after=after_seq))[
            0
        ].records
        yield from page_records
        if len(page_records) < _PAGE:
            return
        after_seq = page_records[-1].seq


def _owner(context: SaverContext, thread: str) -> str | None:
    """The user of a thread, as its root stream says."""
    root_stream = context.states.get(thread, checkpoints.ROOT).stream
    thread_records = context.store.read(Query(root_stream, THREAD, ids=[THREAD]))[0].records
    thread_fields = parsed(thread_records[0], dict) if thread_records else None
    user = (thread_fields or {}).get("user")
    return user if isinstance(user, str) else None


def _run_id(reader: Reader, body: CheckpointBody) -> Any:
    run_id_form = body.metadata.get("run_id")
    return run_id_form if not isinstance(run_id_form, dict) else reader.metadata(body).get("run_id")
