"""Checkpoints as LangGraph takes them, from what is stored of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple

from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.list_values import RunSpan
from langchain_threadkeep.saver.records import CheckpointBody, WriteChunk, ordered
from langchain_threadkeep.saver.state import KnownCheckpoint
from langchain_threadkeep.saver.value_decoder import Decoder, Environment
from langchain_threadkeep.saver.values import MISSING

_OURS: Final = ("extra", "run")

MISSING_KEY: Final = "threadkeep_missing"
"""The key of a checkpoint's metadata that says how many of its messages are gone."""


def checkpoint_tuple(
    address: Address,
    body: CheckpointBody,
    environment: Environment,
    serde: Any,
    chunks: Sequence[WriteChunk],
    objects: dict[str, list[Any]] | None = None,
) -> CheckpointTuple:
    """A checkpoint with all that belongs to it.

    Args:
        address: of its namespace.
        body: the checkpoint as it is stored.
        environment: looks up what it refers to.
        serde: LangGraph's serializer.
        chunks: its pending writes.
        objects: takes the elements of its long lists, by channel.
    """
    decoder = Decoder(serde, environment)
    channel_values = {}
    for channel, stored_form in body.values.items():
        value = decoder.decode(stored_form)
        if value is not MISSING:
            channel_values[channel] = value
        if objects is not None and isinstance(stored_form, dict) and "r" in stored_form:
            objects[channel] = value
    pending_writes = [
        (write.task_id, write.channel, value)
        for write in ordered(chunks)
        if (value := decoder.decode(write.form)) is not MISSING
    ]
    return CheckpointTuple(
        config=address.config(body.id),
        checkpoint=_checkpoint(body, channel_values, decoder),
        metadata=metadata_of(body, decoder),
        parent_config=address.config(body.parent) if body.parent else None,
        pending_writes=pending_writes,
    )


def spans_of(body: CheckpointBody) -> dict[str, list[RunSpan]]:
    """The spans of the long lists among the values of a checkpoint, by channel."""
    return {
        channel: [RunSpan(*span) for span in snapshot_form["r"]]
        for channel, stored_form in body.values.items()
        if isinstance(snapshot_form := snapshot_of(stored_form), dict) and "r" in snapshot_form
    }


def snapshot_of(form: Any) -> Any:
    """The form inside a snapshot of a `DeltaChannel`, or the form itself."""
    return form["D"] if isinstance(form, dict) and "D" in form else form


def _checkpoint(body: CheckpointBody, values: dict[str, Any], decoder: Decoder) -> Checkpoint:
    checkpoint_fields = json.loads(
        json.dumps(
            {field_name: v for field_name, v in body.fields.items() if field_name not in _OURS}
        )
    )
    extra_fields = {
        field_name: decoder.decode(stored_form)
        for field_name, stored_form in body.fields.get("extra", {}).items()
    }
    checkpoint: Any = {**checkpoint_fields, "id": body.id, "channel_values": values, **extra_fields}
    return checkpoint  # type: ignore[no-any-return]


def metadata_of(body: CheckpointBody, decoder: Decoder) -> CheckpointMetadata:
    """The metadata of a checkpoint, and how much of it is gone."""
    metadata: Any = {field_name: decoder.decode(form) for field_name, form in body.metadata.items()}
    if decoder.missing:
        metadata[MISSING_KEY] = decoder.missing
    return metadata  # type: ignore[no-any-return]


class KnownLists:
    """The lists of an entry, for the decoder; all else raises `LookupError`."""

    def __init__(self, entry: KnownCheckpoint) -> None:
        self._lists = {list_value.spans: list_value for list_value in entry.lists.values()}

    def long_list(self, spans: Sequence[Any]) -> list[Any]:
        list_value = self._lists[tuple(RunSpan(*span) for span in spans)]
        if not list_value.complete:
            raise LookupError("an element is not at hand as it is stored")
        return list(list_value.objects)

    def message(self, reference: str) -> Any:
        raise LookupError(reference)

    def text(self, name: str) -> Any:
        raise LookupError(name)

    def large(self, name: str, parts: int) -> Any:
        raise LookupError(name)
