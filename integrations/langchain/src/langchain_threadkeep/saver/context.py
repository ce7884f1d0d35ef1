"""What all verbs of a checkpointer share: the store, the serializer, the options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_threadkeep.saver.state import States, StreamState
from threadkeep import Memory, Query, Record
from threadkeep.adapters.shared import RecordStore

OnConflict = Literal["raise", "last"]


@dataclass(frozen=True)
class Options:
    """The options of a checkpointer, see `ThreadkeepSaver`."""

    messages: frozenset[str]
    on_conflict: OnConflict
    strict: bool
    erase_replaced: bool
    lease: float
    ttl: float | None
    keep_checkpoints: int | None


@dataclass(frozen=True)
class SaverContext:
    """One store, as the verbs of a checkpointer use it."""

    memory: Memory
    store: RecordStore
    serde: Any
    options: Options
    states: States

    def commit(
        self,
        state: StreamState,
        put: Sequence[Record] = (),
        drop: Sequence[Any] = (),
    ) -> None:
        """Write to a stream if it is at the version that its state knows.

        Raises:
            Conflict: another process wrote.
        """
        commit = self.store.commit(
            state.stream, put=put, drop=drop, ttl=self.options.ttl, expect=state.version
        )
        state.version = commit.version

    def queries_of_head(self, state: StreamState) -> list[Query]:
        """What says whether something changed, and what is the newest checkpoint."""
        return [
            Query(state.stream, "thread", ids=["thread"]),
            Query(state.stream, "lease", ids=["lease"]),
            Query(state.stream, "checkpoint", limit=1, newest=True),
            Query(state.thread.streams.session, "session", limit=0),
        ]
