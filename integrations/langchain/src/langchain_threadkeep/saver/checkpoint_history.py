"""Lists checkpoints of one thread or of all, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from operator import attrgetter
from typing import Any, Final, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_id

from langchain_threadkeep.saver import maintenance
from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.records import CheckpointBody
from threadkeep.adapters import checkpoints

_PAGE: Final = 20


class Selection(NamedTuple):
    """Which checkpoints to list.

    Attributes:
        namespace: `None` = all.
        id: only this one.
        metadata: what their metadata must have.
        before: only ids below this one.
    """

    namespace: str | None
    id: str | None
    metadata: Mapping[str, Any]
    before: str | None


def selection_of(
    config: RunnableConfig | None, filter: Mapping[str, Any] | None, before: RunnableConfig | None
) -> Selection:
    """What the arguments of `ThreadkeepSaver.list` select."""
    return Selection(
        None if config is None else config["configurable"].get("checkpoint_ns"),
        None if config is None else get_checkpoint_id(config),
        filter or {},
        None if before is None else get_checkpoint_id(before),
    )


def checkpoints_of(
    context: SaverContext, address: Address | None, selection: Selection, limit: int | None
) -> Iterator[CheckpointTuple]:
    """Checkpoints, the newest first in each namespace."""
    page_size = _PAGE if limit is None or selection.metadata else min(_PAGE, max(1, limit))
    for namespace_address in _places(context, address, selection.namespace):
        stream_state = context.states.get(namespace_address.thread, namespace_address.namespace)
        checkpoint_reader = Reader(context, stream_state, namespace_address)
        with stream_state.lock:
            checkpoint_reader.head()
            is_unordered = stream_state.unordered
        checkpoint_bodies = _bodies(checkpoint_reader, selection, page_size, unordered=is_unordered)
        while page_bodies := list(islice(checkpoint_bodies, page_size)):
            yield from checkpoint_reader.tuples(page_bodies)


def _places(
    context: SaverContext, address: Address | None, namespace: str | None
) -> Iterator[Address]:
    if address is None:
        for stream_owner in maintenance.owners(context):
            yield Address(stream_owner.thread, None, stream_owner.namespace, stream_owner.thread)
    elif namespace is not None:
        yield address
    else:
        thread_streams = context.states.get(address.thread, checkpoints.ROOT).thread.streams
        for namespace_name in thread_streams.namespaces():
            yield address._replace(namespace=namespace_name)


def _bodies(
    reader: Reader, selection: Selection, size: int, *, unordered: bool
) -> Iterator[CheckpointBody]:
    all_bodies = reader.all_pages(_seq_before(reader, selection, unordered=unordered), size)
    bodies = sorted(all_bodies, key=attrgetter("id"), reverse=True) if unordered else all_bodies
    for body in bodies:
        if selection.id is not None and body.id != selection.id:
            continue
        if selection.before is not None and body.id >= selection.before:
            continue
        if selection.metadata and not _matches(reader, body, selection.metadata):
            continue
        yield body


def _seq_before(reader: Reader, selection: Selection, *, unordered: bool) -> int | None:
    """The seq before which to read: of the checkpoint before which, or at which, to look."""
    if unordered:
        return None
    if selection.id is not None and (checkpoint_seq := reader.seq(selection.id)) is not None:
        return checkpoint_seq + 1
    return reader.seq(selection.before) if selection.before is not None else None


def _matches(reader: Reader, body: CheckpointBody, expected: Mapping[str, Any]) -> bool:
    metadata: Mapping[str, Any] = reader.metadata(body)
    return all(metadata.get(name) == field_value for name, field_value in expected.items())
