"""Two runs on one thread: the second is refused instead of losing a turn without a word.

A run is recognised by the checkpoint id that it read as the newest: a text that remembers for
which run it was read. It registers with its first checkpoint, and each further one renews the
lease, until a checkpoint after which no node is due, an error, or an interrupt ends it.
"""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT, TASKS

from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.records import LEASE
from langchain_threadkeep.saver.state import Lease, StreamState
from threadkeep import Drop, Record
from threadkeep.adapters import checkpoints
from threadkeep.errors import Conflict
from threadkeep.printable import shown

_DUE: Final = ("branch:to:", "__start__")
"""Channels that have a value only while a node is due."""


class ThreadBusy(Conflict):
    """Another run is writing to the thread, or has moved it on; nothing was written."""


class NewestId(str):
    """The id of a checkpoint that was read as the newest of its thread, for one run."""

    __slots__ = ("run",)
    run: str

    def __new__(cls, id: str) -> NewestId:
        """Read an id for a new run."""
        newest_id = super().__new__(cls, id)
        newest_id.run = os.urandom(6).hex()
        return newest_id

    def __reduce__(self) -> Any:
        """A copy in another process is a plain text."""
        return str, (str(self),)


def run_object(config: RunnableConfig) -> Any:
    """What lives as long as the run of a graph that passes this config; `None` = it is no run."""
    configurable = config["configurable"]
    if not any(str(field_name).startswith("__pregel_") for field_name in configurable):
        return None
    metadata = config.get("metadata")
    return configurable.get("__pregel_runtime") if type(metadata) is dict else metadata


def check(
    context: SaverContext,
    state: StreamState,
    thread: str,
    parent: str | None,
    metadata: CheckpointMetadata,
    run_object: Any,
) -> str | None:
    """The run that a checkpoint belongs to; `None` = it is outside of the rules.

    Args:
        context: the store.
        state: of the stream.
        thread: its id.
        parent: the id of the checkpoint before.
        metadata: of the checkpoint.
        run_object: lives as long as the run of a graph that writes it; `None` = it is none, but,
            for example, `update_state`.

    Raises:
        ThreadBusy: the checkpoint would take a turn from another run.
    """
    if state.namespace != checkpoints.ROOT or context.options.on_conflict == "last":
        return None
    if parent is not None and (reason := state.thread.refused.use(parent)) is not None:
        raise ThreadBusy(reason)  # older versions of LangGraph go on without the one before
    now = context.store.now()
    if isinstance(parent, NewestId):
        if metadata.get("source") in ("input", "loop"):
            is_new_turn = metadata.get("source") == "input"
            _check_first(state, thread, parent, _live(state, now) if is_new_turn else None, now)
        return parent.run
    if parent is None and run_object is not None:  # the first turn of a thread
        _check_first(state, thread, None, _live(state, now), now)
        return NewestId("").run
    run_id = state.thread.runs.use(parent) if parent else None
    if run_id is None or run_object is None or _holder(state, run_id) is not run_object:
        return None  # an older checkpoint was asked for: it opens a branch
    _check_further(state, thread, run_id, parent, now)
    return run_id


def _live(state: StreamState, now: float) -> Lease | None:
    """The lease, unless it has expired, or its run was of this process and is over."""
    current_lease = state.lease
    if current_lease is None or current_lease.until <= now:
        return None
    if current_lease.run in state.holders and _holder(state, current_lease.run) is not None:
        gc.collect()  # a run that is over may be part of a cycle; only where a run is refused
    return (
        None
        if current_lease.run in state.holders and _holder(state, current_lease.run) is None
        else current_lease
    )


def _reference(run_object: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(run_object)
    except TypeError:  # then only the lease tells when the run is over
        return lambda: run_object


def _holder(state: StreamState, run: str) -> Any:
    """The object of a run of this process, while it is not over."""
    holder = state.holders.use(run)
    return None if holder is None else holder()


def _check_further(
    state: StreamState, thread: str, run: str, parent: str | None, now: float
) -> None:
    current_lease = state.lease
    if current_lease is not None and current_lease.until > now and current_lease.run != run:
        raise _busy(
            thread, current_lease, now, "took this thread over, since this run's lease expired"
        )
    newest_id = state.newest
    other_run_id = (
        state.thread.runs.use(newest_id) if newest_id is not None and newest_id != parent else None
    )
    if other_run_id is not None and other_run_id != run:
        raise _moved_on(thread)


def renew(
    context: SaverContext,
    state: StreamState,
    run: str | None,
    run_object: Any,
    checkpoint: Checkpoint,
    now: float,
) -> tuple[list[Record], list[Drop]]:
    """What a checkpoint of a run does to its lease."""
    if run is None:
        return [], []
    if run not in state.holders and run_object is not None:
        state.holders.keep(run, _reference(run_object))
    if not is_due(checkpoint["channel_values"]):
        return [], end(state)
    state.lease = Lease(run, now + context.options.lease)
    lease_json = checkpoints.dumps({"run": run}, "lease")
    return [Record(LEASE, LEASE, lease_json, now, state.lease.until)], []


def end_on(state: StreamState, channels: Sequence[str]) -> list[Drop]:
    """What writes do to the lease: an error or an interrupt ends the run."""
    return end(state) if ERROR in channels or INTERRUPT in channels else []


def end(state: StreamState) -> list[Drop]:
    """End the lease."""
    old_lease, state.lease = state.lease, None
    return [Drop(LEASE, [LEASE])] if old_lease is not None else []


def is_due(values: Mapping[str, Any]) -> bool:
    """Return True if a node is due after a checkpoint with these values."""
    return bool(values.get(TASKS)) or any(name.startswith(_DUE) for name in values)


def _check_first(
    state: StreamState, thread: str, parent: NewestId | None, live_lease: Lease | None, now: float
) -> None:
    if live_lease is not None and (parent is None or live_lease.run != parent.run):
        raise _busy(thread, live_lease, now, "is writing to this thread")
    if state.newest is not None and state.newest != parent:
        raise _moved_on(thread)


def _moved_on(thread: str) -> ThreadBusy:
    return ThreadBusy(
        f"thread {shown(thread)} has moved on since this run read it, and a turn would be lost: "
        "run it again, or use on_conflict='last'"
    )


def _busy(thread: str, live: Lease, now: float, what: str) -> ThreadBusy:
    return ThreadBusy(
        f"another run {what}: thread {shown(thread)}, for {live.until - now:.0f} s unless it goes "
        "on; wait for it and run again, or use on_conflict='last'"
    )
