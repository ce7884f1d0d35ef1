"""Lists checkpoints of one thread or of all, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from langgraph.checkpoint.base import CheckpointTuple

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


def checkpoints_of(
    context: SaverContext, address: Address | None, selection: Selection, limit: int | None
) -> Iterator[CheckpointTuple]:
    """Checkpoints, the newest first in each namespace."""
    size = _PAGE if limit is None or selection.metadata else min(_PAGE, max(1, limit))
    for place in _places(context, address, selection.namespace):
        state = context.states.get(place.thread, place.namespace)
        reader = Reader(context, state, place)
        with state.lock:
            reader.head()
            unordered = state.unordered
        bodies = _bodies(reader, selection, size, unordered=unordered)
        while page := list(islice(bodies, size)):
            yield from reader.tuples(page)


def _places(
    context: SaverContext, address: Address | None, namespace: str | None
) -> Iterator[Address]:
    if address is None:
        for owner in maintenance.owners(context):
            yield Address(owner.thread, None, owner.namespace, owner.thread)
    elif namespace is not None:
        yield address
    else:
        streams = context.states.get(address.thread, checkpoints.ROOT).thread.streams
        for name in streams.namespaces():
            yield address._replace(namespace=name)


def _bodies(
    reader: Reader, selection: Selection, size: int, *, unordered: bool
) -> Iterator[CheckpointBody]:
    bodies = reader.all_pages(_seq_before(reader, selection, unordered=unordered), size)
    if unordered:
        bodies = iter(sorted(bodies, key=lambda body: body.id, reverse=True))
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
    if selection.id is not None and (seq := reader.seq(selection.id)) is not None:
        return seq + 1
    return reader.seq(selection.before) if selection.before is not None else None


def _matches(reader: Reader, body: CheckpointBody, expected: Mapping[str, Any]) -> bool:
    metadata: Mapping[str, Any] = reader.metadata(body)
    return all(metadata.get(name) == value for name, value in expected.items())
