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
    places = sorted(_place(saved.config) for saved in source.list(None))
    new = 0
    present: tuple[str, str, set[str]] = ("", "", set())
    for place in places:
        if present[:2] != place[:2]:
            present = (*place[:2], target.checkpoint_ids(place.thread, place.namespace))
        saved = source.get_tuple(_config(place))
        if saved is not None:
            new += _copy(target, place, saved, exists=place.id in present[2])
    return new


def _copy(target: ThreadkeepSaver, place: Place, saved: CheckpointTuple, *, exists: bool) -> int:
    metadata: Any = saved.metadata
    user = {name: str(metadata[name]) for name in _USER_FIELDS if metadata.get(name)}
    parent = (saved.parent_config or {}).get("configurable", {}).get("checkpoint_id")
    if not exists:
        checkpoint = saved.checkpoint
        config = _config(place._replace(id=parent or ""), user)
        target.put(config, checkpoint, metadata, dict(checkpoint["channel_versions"]))
    for number, (task, writes) in enumerate(_by_task(saved.pending_writes or ())):
        target.put_writes(_config(place, user), writes, task, f"{number:06}")
    return int(not exists)


def _by_task(writes: Iterable[tuple[str, str, Any]]) -> list[tuple[str, Sequence[tuple[str, Any]]]]:
    """The writes of each task, in the order of the source."""
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task, channel, value in writes:
        tasks.setdefault(task, []).append((channel, value))
    return list(tasks.items())


def _place(config: RunnableConfig) -> Place:
    configurable = config["configurable"]
    namespace = configurable.get("checkpoint_ns", "")
    return Place(str(configurable["thread_id"]), namespace, configurable["checkpoint_id"])


def _config(place: Place, user: Mapping[str, str] | None = None) -> RunnableConfig:
    configurable: dict[str, Any] = {"thread_id": place.thread, "checkpoint_ns": place.namespace}
    if place.id:
        configurable["checkpoint_id"] = place.id
    configurable |= user or {}
    return {"configurable": configurable}
