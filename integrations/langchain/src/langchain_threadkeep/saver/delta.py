"""What the ancestors of a checkpoint contributed to `DeltaChannel`s, read in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.records import CheckpointBody, WriteChunk, ordered
from langchain_threadkeep.saver.value_decoder import Decoder
from langchain_threadkeep.saver.values import MISSING

_PAGE: Final = 50


def history(
    context: SaverContext, address: Address, checkpoint_id: str | None, channels: Sequence[str]
) -> Mapping[str, DeltaChannelHistory]:
    """The writes to each channel, oldest first, and the value that they start from."""
    stream_state = context.states.get(address.thread, address.namespace)
    with stream_state.lock:
        checkpoint_reader = Reader(context, stream_state, address)
        stream_head, _ = checkpoint_reader.head()
        newest_id = (
            stream_state.newest
            if stream_state.unordered
            else stream_head.newest and stream_head.newest.id
        )
        start_id = checkpoint_id or newest_id
        ancestor_walk = _Walk(channels)
        for page_bodies in _ancestors(checkpoint_reader, str(start_id)) if start_id else ():
            _collect(context, checkpoint_reader, ancestor_walk, page_bodies)
            if not ancestor_walk.remaining:
                break
    return ancestor_walk.result()


def _ancestors(reader: Reader, id: str) -> Iterator[list[CheckpointBody]]:
    """The checkpoints before one, the nearest first, in pages."""
    target_body = reader.body(id)
    parent_id = None if target_body is None else target_body.parent
    while parent_id is not None:
        parent_body = reader.body(parent_id)
        if parent_body is None:
            return
        body_by_id = {body.id: body for body in reader.page(parent_body.seq, _PAGE)}
        page_bodies = [parent_body]
        while page_bodies[-1].parent in body_by_id:
            page_bodies.append(body_by_id[page_bodies[-1].parent or ""])
        yield page_bodies
        parent_id = page_bodies[-1].parent


class _Walk:
    """The writes and values met so far, from the nearest ancestor on."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = channels
        self.remaining = set(channels)
        self._writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
        self._seeds: dict[str, Any] = {}

    def visit(self, body: CheckpointBody, chunks: Sequence[WriteChunk], decoder: Decoder) -> None:
        """Take what one ancestor contributes."""
        for write in reversed(ordered(chunks)):
            if write.channel in self.remaining:
                value = decoder.decode(write.form)
                if value is not MISSING:
                    self._writes[write.channel].append((write.task_id, write.channel, value))
        for channel in list(self.remaining & body.values.keys()):
            self._seeds[channel] = decoder.decode(body.values[channel])
            self.remaining.discard(channel)

    def result(self) -> Mapping[str, DeltaChannelHistory]:
        """The history of each channel."""
        history_by_channel: dict[str, DeltaChannelHistory] = {}
        for channel in self._channels:
            history_by_channel[channel] = {"writes": self._writes[channel][::-1]}
            if channel in self._seeds:
                history_by_channel[channel]["seed"] = self._seeds[channel]
        return history_by_channel


def _collect(
    context: SaverContext, reader: Reader, walk: _Walk, page_bodies: Sequence[CheckpointBody]
) -> None:
    """Visit the ancestors of a page up to the last one that is needed."""
    needed_bodies = []
    remaining_channels = set(walk.remaining)
    for ancestor_body in page_bodies:
        needed_bodies.append(ancestor_body)
        remaining_channels -= ancestor_body.values.keys()
        if not remaining_channels:
            break
    reduced_bodies = [
        ancestor_body._replace(
            values={
                channel: stored_form
                for channel, stored_form in ancestor_body.values.items()
                if channel in walk.remaining
            }
        )
        for ancestor_body in needed_bodies
    ]
    loaded_parts = reader.loaded_parts()
    loaded_parts.load(reduced_bodies, writes=[ancestor_body.id for ancestor_body in reduced_bodies])
    decoder = Decoder(context.serde, loaded_parts)
    for ancestor_body in reduced_bodies:
        walk.visit(ancestor_body, loaded_parts.writes(ancestor_body), decoder)
