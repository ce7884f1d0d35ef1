"""Imports checkpoints from other checkpointers, such as `SqliteSaver` and `PostgresSaver`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

from langchain_threadkeep.saver.saver import ThreadkeepSaver
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.errors import InputError

_USER_FIELDS = ("langgraph_auth_user_id", "user_id")


class Place(NamedTuple):
    """Where a checkpoint of the source is."""

    thread: str
    namespace: str
    id: str


@strict_arguments
def import_checkpoints(source: BaseCheckpointSaver[Any], target: ThreadkeepSaver) -> int:
    """Copy all checkpoints with their pending writes; returns how many are new.

    What the target has already is left as it is, so a run that was broken off is repeated.
    Messages become items of the session of their thread. A thread is owned by the `user_id` of its
    metadata, if there is one.

    Args:
        source: any synchronous checkpointer.
        target: ours.

    Raises:
        InputError: `target` is no `ThreadkeepSaver`.
    """
    if not isinstance(target, ThreadkeepSaver):
        raise InputError(f"target must be a ThreadkeepSaver, got {type(target).__name__}")
    checkpoint_places = sorted(_place(source_tuple.config) for source_tuple in source.list(None))
    new_count = 0
    existing_triple: tuple[str, str, set[str]] = ("", "", set())
    for checkpoint_place in checkpoint_places:
        if existing_triple[:2] != checkpoint_place[:2]:
            existing_triple = (
                *checkpoint_place[:2],
                target.checkpoint_ids(checkpoint_place.thread, checkpoint_place.namespace),
            )
        source_tuple = source.get_tuple(_config(checkpoint_place))
        if source_tuple is not None:
            new_count += _copy(
                target,
                checkpoint_place,
                source_tuple,
                exists=checkpoint_place.id in existing_triple[2],
            )
    return new_count


def _copy(target: ThreadkeepSaver, place: Place, saved: CheckpointTuple, *, exists: bool) -> int:
    metadata: Any = saved.metadata
    user_fields = {name: str(metadata[name]) for name in _USER_FIELDS if metadata.get(name)}
    parent_id = (saved.parent_config or {}).get("configurable", {}).get("checkpoint_id")
    if not exists:
        checkpoint = saved.checkpoint
        config = _config(place._replace(id=parent_id or ""), user_fields)
        target.put(config, checkpoint, metadata, dict(checkpoint["channel_versions"]))
    for task_number, (task_id, writes) in enumerate(_by_task(saved.pending_writes or ())):
        target.put_writes(_config(place, user_fields), writes, task_id, f"{task_number:06}")
    return int(not exists)


def _by_task(writes: Iterable[tuple[str, str, Any]]) -> list[tuple[str, Sequence[tuple[str, Any]]]]:
    """The writes of each task, in the order of the source."""
    writes_by_task: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in writes:
        writes_by_task.setdefault(task_id, []).append((channel, value))
    return list(writes_by_task.items())


def _place(config: RunnableConfig) -> Place:
    configurable = config["configurable"]
    namespace = configurable.get("checkpoint_ns", "")
    return Place(str(configurable["thread_id"]), namespace, configurable["checkpoint_id"])


def _config(place: Place, user_fields: Mapping[str, str] | None = None) -> RunnableConfig:
    configurable: dict[str, Any] = {"thread_id": place.thread, "checkpoint_ns": place.namespace}
    if place.id:
        configurable["checkpoint_id"] = place.id
    configurable |= user_fields or {}
    return {"configurable": configurable}
