"""Deletes, copies and prunes the checkpoints of threads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.checkpoint_tuples import spans_of
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.library import Library
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
    prefix = checkpoints.checkpoint_prefix(context.memory)
    while True:
        names, cursor = context.store.streams(prefix, cursor=cursor, limit=_PAGE)
        queries = [Query(name, THREAD, ids=[THREAD]) for name in dict.fromkeys(names)]
        for page in context.store.read(*queries) if queries else []:
            for record in page.records:
                body = indispensable(record, dict)
                yield StreamOwner(body["thread"], body["namespace"], body.get("user"))
        if cursor is None:
            return


def delete_thread(context: SaverContext, thread: str, *, keep_session: bool) -> None:
    """Delete the checkpoints of a thread, and its session unless that is to stay."""
    owner = _owner(context, thread)
    checkpoints.delete_checkpoints(context.memory, thread)
    context.states.drop(thread)
    if not keep_session:
        checkpoints.delete_session(context.memory, thread, owner)


def delete_for_runs(context: SaverContext, run_ids: Collection[str]) -> None:
    """Delete all checkpoints of runs, in all threads."""
    for owner in list(owners(context)):
        address = Address(owner.thread, None, owner.namespace, owner.thread)
        state = context.states.get(owner.thread, owner.namespace)
        with state.lock:
            reader = Reader(context, state, address)
            doomed = [body for body in reader.all_pages() if _run_id(reader, body) in run_ids]
            _drop_checkpoints(context, state.stream, [body.id for body in doomed])
            state.forget()


def copy_thread(context: SaverContext, source: str, target: str) -> None:
    """Copy a thread with its session; nothing happens if there is none.

    Raises:
        Conflict: the target exists.
    """
    owner = _owner(context, source)
    root = context.states.get(target, checkpoints.ROOT)
    if context.store.read(Query(root.stream, THREAD, limit=1))[0].version:
        raise Conflict(f"thread {shown(target)} exists already: delete it, or choose another id")
    streams = context.states.get(source, checkpoints.ROOT).thread.streams
    with suppress(NotFound):  # no message was said
        checkpoints.fork_session(context.memory, source, target, owner)
    for namespace in streams.namespaces():
        _copy_stream(context, source, target, namespace, owner)
    context.states.drop(target)


def prune(context: SaverContext, threads: Sequence[str], strategy: Strategy) -> None:
    """Keep only the newest checkpoint of each namespace, or none."""
    for thread in threads:
        if strategy == "delete":
            delete_thread(context, thread, keep_session=True)
            continue
        streams = context.states.get(thread, checkpoints.ROOT).thread.streams
        for namespace in list(streams.namespaces()):
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
    state = context.states.get(thread, namespace)
    address = Address(thread, None, namespace, thread)
    with state.lock:
        reader = Reader(context, state, address)
        reader.head()
        bodies = sorted(reader.all_pages(), key=lambda body: body.id, reverse=True)
        remaining = [*bodies[:count], *_ancestors(bodies, bodies[:count])]
        kept_ids = {body.id for body in remaining}
        _drop_checkpoints(context, state.stream, [b.id for b in bodies if b.id not in kept_ids])
        if collect:
            _collect(context, address, remaining)
        state.forget()


def _ancestors(
    bodies: Sequence[CheckpointBody], remaining: Sequence[CheckpointBody]
) -> Iterator[CheckpointBody]:
    """The checkpoints whose writes rebuild the `DeltaChannel`s of those that stay."""
    by_id = {body.id: body for body in bodies}
    for body in remaining:
        lacking = delta_channels(body) - body.values.keys()
        while lacking and body.parent in by_id:
            body = by_id[body.parent]
            yield body
            lacking -= body.values.keys()


def delta_channels(body: CheckpointBody) -> set[str]:
    """The channels whose value is rebuilt from the writes of ancestors."""
    counters = body.metadata.get("counters_since_delta_snapshot")
    return set(counters["j"]) if isinstance(counters, dict) and "j" in counters else set()


def _collect(context: SaverContext, address: Address, remaining: Sequence[CheckpointBody]) -> None:
    """Delete segments, values, elements and writes that nothing refers to."""
    state = context.states.get(address.thread, address.namespace)
    library = Library(context.store, state.thread.streams, address.namespace, context.serde)
    library.load(remaining, writes=[body.id for body in remaining])
    used = used_by(library, remaining)
    segments = {
        id
        for body in remaining
        for spans in spans_of(body).values()
        for id in (*segment_ids(spans), *(id for span in spans for id in unmerged_ids(span)))
    }
    for kind, ids in ((RUN, segments), (VALUE, used.values), (ELEMENT, used.elements)):
        _drop_others(context, state.stream, kind, ids)


def _drop_others(context: SaverContext, stream: str, kind: str, ids: set[str]) -> None:
    _drop(context, stream, kind, [r.id for r in _records(context, stream, kind) if r.id not in ids])


def _drop_checkpoints(context: SaverContext, stream: str, ids: Sequence[str]) -> None:
    """Delete checkpoints, then their writes."""
    keys = set(map(checkpoints.key, ids))
    _drop(context, stream, CHECKPOINT, list(keys))
    if keys:
        writes = [r.id for r in _records(context, stream, WRITE)]
        _drop(context, stream, WRITE, [id for id in writes if _belongs(id, keys)])


def _belongs(write_id: str, keys: set[str]) -> bool:
    return write_id in keys or write_id.rpartition(".")[0] in keys


def _drop(context: SaverContext, stream: str, kind: str, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _PAGE):
        drop = [Drop(kind, ids[start : start + _PAGE])]
        context.store.commit(stream, drop=drop, ttl=context.options.ttl)


def _copy_stream(
    context: SaverContext, source: str, target: str, namespace: str, user: str | None
) -> None:
    source_stream = context.states.get(source, namespace).stream
    state = context.states.get(target, namespace)
    body = {"thread": target, "namespace": namespace} | ({"user": user} if user else {})
    now = context.store.now()
    described = Record(THREAD, THREAD, checkpoints.dumps(body, "thread"), now)
    if namespace != checkpoints.ROOT:
        root = context.states.get(target, checkpoints.ROOT).stream
        listed = checkpoints.namespace_record(namespace, now)
        context.store.commit(root, put=[listed], ttl=context.options.ttl)
    records = (r for kind in _COPIED for r in _records(context, source_stream, kind))
    copies = [described, *(replace(record, seq=0) for record in records)]
    if len(copies) == 1 and namespace == checkpoints.ROOT and not _exists(context, source_stream):
        return
    for batch in checkpoints.batches(copies):
        context.store.commit(state.stream, put=batch, ttl=context.options.ttl)


def _exists(context: SaverContext, stream: str) -> bool:
    return bool(context.store.read(Query(stream, THREAD, limit=1))[0].records)


def _records(context: SaverContext, stream: str, kind: str) -> Iterator[Record]:
    after = None
    while True:
        page = context.store.read(Query(stream, kind, limit=_PAGE, after=after))[0].records
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def _owner(context: SaverContext, thread: str) -> str | None:
    """The user of a thread, as its root stream says."""
    stream = context.states.get(thread, checkpoints.ROOT).stream
    records = context.store.read(Query(stream, THREAD, ids=[THREAD]))[0].records
    described = parsed(records[0], dict) if records else None
    user = (described or {}).get("user")
    return user if isinstance(user, str) else None


def _run_id(reader: Reader, body: CheckpointBody) -> Any:
    form = body.metadata.get("run_id")
    return form if not isinstance(form, dict) else reader.metadata(body).get("run_id")
