"""What the ancestors of a checkpoint contributed to `DeltaChannel`s, read in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.records import CheckpointBody, WriteChunk, ordered
from langchain_threadkeep.saver.values import MISSING, Decoder

_PAGE: Final = 50


def history(
    context: SaverContext, address: Address, checkpoint_id: str | None, channels: Sequence[str]
) -> Mapping[str, DeltaChannelHistory]:
    """The writes to each channel, oldest first, and the value that they start from."""
    state = context.states.get(address.thread, address.namespace)
    with state.lock:
        reader = Reader(context, state, address)
        head, _ = reader.head()
        newest = state.newest if state.unordered else head.newest and head.newest.id
        start = checkpoint_id or newest
        walk = _Walk(channels)
        for page in _ancestors(reader, str(start)) if start else ():
            _collect(context, reader, walk, page)
            if not walk.remaining:
                break
    return walk.result()


def _ancestors(reader: Reader, id: str) -> Iterator[list[CheckpointBody]]:
    """The checkpoints before one, the nearest first, in pages."""
    target = reader.body(id)
    parent = None if target is None else target.parent
    while parent is not None:
        body = reader.body(parent)
        if body is None:
            return
        near = {b.id: b for b in reader.page(body.seq, _PAGE)}
        page = [body]
        while page[-1].parent in near:
            page.append(near[page[-1].parent or ""])
        yield page
        parent = page[-1].parent


class _Walk:
    """The writes and values met so far, from the nearest ancestor on."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = channels
        self.remaining = set(channels)
        self._writes: dict[str, list[PendingWrite]] = {name: [] for name in channels}
        self._seeds: dict[str, Any] = {}

    def visit(self, body: CheckpointBody, chunks: Sequence[WriteChunk], decoder: Decoder) -> None:
        """Take what one ancestor contributes."""
        for write in reversed(ordered(chunks)):
            if write.channel in self.remaining:
                value = decoder.decode(write.form)
                if value is not MISSING:
                    self._writes[write.channel].append((write.task_id, write.channel, value))
        for name in list(self.remaining & body.values.keys()):
            self._seeds[name] = decoder.decode(body.values[name])
            self.remaining.discard(name)

    def result(self) -> Mapping[str, DeltaChannelHistory]:
        """The history of each channel."""
        histories: dict[str, DeltaChannelHistory] = {}
        for name in self._channels:
            histories[name] = {"writes": self._writes[name][::-1]}
            if name in self._seeds:
                histories[name]["seed"] = self._seeds[name]
        return histories


def _collect(
    context: SaverContext, reader: Reader, walk: _Walk, page: Sequence[CheckpointBody]
) -> None:
    """Visit the ancestors of a page up to the last one that is needed."""
    needed = []
    remaining = set(walk.remaining)
    for body in page:
        needed.append(body)
        remaining -= body.values.keys()
        if not remaining:
            break
    only = [
        body._replace(values={n: f for n, f in body.values.items() if n in walk.remaining})
        for body in needed
    ]
    library = reader.library()
    library.load(only, writes=[body.id for body in only])
    decoder = Decoder(context.serde, library)
    for body in only:
        walk.visit(body, library.writes(body), decoder)
