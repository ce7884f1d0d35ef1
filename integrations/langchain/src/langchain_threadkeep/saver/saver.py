"""`ThreadkeepSaver`: for `create_agent(checkpointer=)` and `compile(checkpointer=)`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_threadkeep.identity import IdentityResolver
from langchain_threadkeep.saver import (
    checkpoint_history,
    delta,
    lease,
    maintenance,
)
from langchain_threadkeep.saver.address import Address, plain_config
from langchain_threadkeep.saver.async_verbs import AsyncVerbs
from langchain_threadkeep.saver.checkpoint_reader import Reader
from langchain_threadkeep.saver.checkpoint_writer import Writer
from langchain_threadkeep.saver.context import OnConflict, Options, SaverContext
from langchain_threadkeep.saver.opened import OpenedSaver, Setup
from langchain_threadkeep.saver.options import parse_options
from langchain_threadkeep.saver.state import States
from langchain_threadkeep.saver.versions import next_version
from threadkeep import Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.checkpoints import ROOT, ThreadStreams
from threadkeep.adapters.identity import UserIdSource, user_source
from threadkeep.adapters.shared import record_store, shared_memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown


class ThreadkeepSaver(AsyncVerbs):
    """A LangGraph checkpointer on any threadkeep store, which stores each message once.

    Messages of the thread become items of the session of the same id: searchable, exported,
    listed and forgotten with it. Beside `ThreadkeepMiddleware` on the same Memory nothing is
    stored twice. Sync and async methods of one object work in any event loop.

    Args:
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`. No I/O yet.
        messages: the channels whose messages become items.
        on_conflict: `raise` refuses a run on a thread that another run is writing to, before the
            other's turn is lost; `last` lets the last one win, as other checkpointers do.
        strict: compare all messages by content at every step, not only those of the last two
            steps; for graphs that change older messages in place.
        erase_replaced: a replaced message is erased everywhere, also from older checkpoints.
        lease: seconds without a checkpoint after which another run may take a thread over.
        checkpoint_ttl: seconds that the checkpoints of a thread live after the last one; `None` =
            as its session.
        keep_checkpoints: how many checkpoints of a namespace stay, about; `None` = all.
        user: as for `ThreadkeepMiddleware`.
        serde: LangGraph's serializer, with its allow-list; nothing is pickled.

    Raises:
        ConfigError: an option is not valid, or the Memory has a redactor: the state of a graph
            cannot be stored otherwise than it is.
    """

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        messages: Sequence[str] = ("messages",),
        on_conflict: OnConflict = "raise",
        strict: bool = False,
        erase_replaced: bool = False,
        lease: float = 60.0,
        checkpoint_ttl: float | None = None,
        keep_checkpoints: int | None = None,
        user: UserIdSource = None,
        user_id: UserIdSource = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self.memory = shared_memory(memory)
        self._options: Options = parse_options(
            self.memory,
            self.serde,
            messages=messages,
            on_conflict=on_conflict,
            strict=strict,
            erase_replaced=erase_replaced,
            lease=lease,
            ttl=checkpoint_ttl,
            keep_checkpoints=keep_checkpoints,
        )
        self._resolver = IdentityResolver(None, user_source(user, user_id))
        self._store = record_store(self.memory)
        self._states = States(functools.partial(ThreadStreams, self.memory))

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Any) -> OpenedSaver:
        """A context manager, sync or async, that opens a store and closes it again.

        Args:
            conn_string: a URL, as for `threadkeep.connect`.
            options: those of `ThreadkeepSaver`.
        """
        return OpenedSaver(cls, conn_string, options)

    def setup(self) -> Setup:
        """Do nothing: a store is prepared when it is first used. May be awaited."""
        return Setup()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint of a config, or the newest of its thread.

        Raises:
            NotOwner: the thread belongs to another user.
        """
        address = self._address(config)
        stream_state = self._states.get(address.thread, address.namespace)
        with stream_state.lock:
            checkpoint_reader = Reader(self._context, stream_state, address)
            if checkpoint_id := get_checkpoint_id(config):
                saved_tuple = checkpoint_reader.by_id(str(checkpoint_id))
                return saved_tuple and saved_tuple._replace(config=plain_config(config))
            newest_tuple = checkpoint_reader.newest()
        if newest_tuple is None or address.namespace != ROOT:
            return newest_tuple
        return newest_tuple._replace(
            config=address.config(lease.NewestId(newest_tuple.checkpoint["id"]))
        )

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, the newest first; with `config=None` of all threads.

        Raises:
            NotOwner: the thread belongs to another user.
        """
        address = None if config is None else self._address(config)
        selection = checkpoint_history.selection_of(config, filter, before)
        all_tuples = checkpoint_history.checkpoints_of(self._context, address, selection, limit)
        return all_tuples if limit is None else islice(all_tuples, max(0, limit))

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint: messages first, as items, then the checkpoint, in one step.

        Raises:
            ThreadBusy: another run is writing to the thread; nothing was written.
            NotOwner: the thread belongs to another user; nothing was written.
        """
        address = self._address(config)
        stream_state = self._states.get(address.thread, address.namespace)
        with stream_state.lock:
            Writer(self._context, stream_state, address).put(
                config["configurable"].get("checkpoint_id"),
                checkpoint,
                get_checkpoint_metadata(config, metadata),
                new_versions,
            )
            put_count = stream_state.puts
        self._tidy(address, put_count)
        return address.config(checkpoint["id"])

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task that belong to a checkpoint.

        Raises:
            NotOwner: the thread belongs to another user; nothing was written.
        """
        address = self._address(config)
        stream_state = self._states.get(address.thread, address.namespace)
        checkpoint_id = str(config["configurable"]["checkpoint_id"])
        with stream_state.lock:
            Writer(self._context, stream_state, address).put_writes(
                checkpoint_id, writes, task_id, task_path
            )

    def delete_thread(self, thread_id: str, *, keep_session: bool = False) -> None:
        """Delete a thread: its checkpoints, and its session unless that is to stay."""
        maintenance.delete_thread(self._context, str(thread_id), keep_session=keep_session)

    async def adelete_thread(self, thread_id: str, *, keep_session: bool = False) -> None:
        """As `delete_thread`."""
        await self._to_thread(
            functools.partial(self.delete_thread, thread_id, keep_session=keep_session)
        )

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs, by the `run_id` of their metadata; reads all threads."""
        if run_ids:
            maintenance.delete_for_runs(self._context, set(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its session.

        Raises:
            Conflict: the target exists.
        """
        maintenance.copy_thread(self._context, str(source_thread_id), str(target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete all checkpoints of threads but the newest, or all; sessions stay.

        What a `DeltaChannel` is rebuilt from stays with the newest.

        Raises:
            ConfigError: the strategy is neither `keep_latest` nor `delete`.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ConfigError(f"strategy must be 'keep_latest' or 'delete', got {shown(strategy)}")
        maintenance.prune(self._context, [str(thread_id) for thread_id in thread_ids], strategy)  # type: ignore[arg-type]

    def checkpoint_ids(self, thread_id: str, checkpoint_ns: str = "") -> set[str]:
        """The ids of all checkpoints of a namespace of a thread."""
        address = Address(str(thread_id), None, checkpoint_ns, thread_id)
        stream_state = self._states.get(address.thread, checkpoint_ns)
        return {
            body.id for body in Reader(self._context, stream_state, address).all_pages(size=500)
        }

    def forget_threads(self) -> None:
        """Drop what this process knows of threads; the store is read again when it is needed."""
        self._states.clear()

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """What the ancestors of a checkpoint contributed to some channels."""
        if not channels:
            return {}
        address = self._address(config)
        return delta.history(self._context, address, get_checkpoint_id(config), channels)

    def get_next_version(self, current: str | int | None, channel: None) -> str:
        """The version after another one: a number, and what no other branch has."""
        return next_version(current)

    def __repr__(self) -> str:
        return f"<ThreadkeepSaver of {self.memory!r}>"

    @property
    def _context(self) -> SaverContext:
        """With the serializer of this object: `with_allowlist` gives a copy another one."""
        return SaverContext(self.memory, self._store, self.serde, self._options, self._states)

    def _address(self, config: RunnableConfig) -> Address:
        run_identity = self._resolver.resolve(config)
        # a Memory may require a user
        self.memory.session(run_identity.session, user=run_identity.user)
        configurable = config["configurable"]
        thread_id = configurable.get("thread_id", run_identity.session)
        namespace = configurable.get("checkpoint_ns") or ROOT
        run_lifetime = lease.run_object(config)
        return Address(run_identity.session, run_identity.user, namespace, thread_id, run_lifetime)

    def _tidy(self, address: Address, puts: int) -> None:
        """Now and then: delete old checkpoints, and forget threads that are not used."""
        keep_count = self._options.keep_checkpoints
        if keep_count is not None and puts % max(1, min(keep_count, 16)) == 0:
            maintenance.keep_latest(
                self._context, address.thread, address.namespace, keep_count, collect=False
            )
        if puts % 16 == 0:
            self._states.trim()
