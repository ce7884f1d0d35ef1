"""What this process knows of threads: bounded, and true only at the version that goes with it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from langchain_core.messages import BaseMessage

from langchain_threadkeep.saver.list_values import ListValue
from langchain_threadkeep.saver.records import CheckpointBody, WriteChunk
from langchain_threadkeep.saver.references import EncodedMessage
from threadkeep.adapters.checkpoints import ThreadStreams

T = TypeVar("T")

_CHECKPOINTS: Final = 6
"""Checkpoints of a namespace that are known at once."""

_MESSAGES: Final = 20_000
"""Digests known of a thread."""

_ERASED: Final = 10_000
"""Digests of erased messages that are known of a namespace."""

_RUNS: Final = 64
"""Runs of a thread in this process that are known at once."""

_ENCODED: Final = 64
"""Messages of a thread that are kept as they were encoded."""

_ELEMENTS: Final = 200_000
"""Elements of lists that all threads together keep."""

_STREAMS: Final = 1_000


class Lru(OrderedDict[str, T], Generic[T]):
    """A dict that drops the entry used least recently."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def use(self, key: str) -> T | None:
        """Return an entry, and keep it longer."""
        if key not in self:
            return None
        self.move_to_end(key)
        return self[key]

    def keep(self, key: str, value: T) -> None:
        """Set an entry."""
        self[key] = value
        self.move_to_end(key)
        self._trim()

    def keep_all(self, values: Mapping[str, T]) -> None:
        """Set many entries."""
        self.update(values)
        self._trim()

    def _trim(self) -> None:
        while len(self) > self._capacity:
            self.popitem(last=False)


class KnownCheckpoint(NamedTuple):
    """A checkpoint, and its lists by channel."""

    body: CheckpointBody
    lists: dict[str, ListValue]


class Lease(NamedTuple):
    """Which run is writing to a thread, and until when (epoch seconds) it is believed to."""

    run: str
    until: float


@dataclass
class ThreadState:
    """What is known of a thread, in all namespaces.

    Attributes:
        streams: of the thread.
        items: item ids by digest, of messages that the session holds exactly.
        references: references by digest, of messages that were encoded.
        texts: references to messages of the session, by the digest of what they say.
        encoded: the messages encoded last, with their fingerprints, by `id`.
        runs: the run that wrote a checkpoint, by the checkpoint's id.
        refused: why a checkpoint was not written, by its id: its run was refused.
        session_version: of the session when `items` and `texts` were learned; `None` = unknown.
    """

    streams: ThreadStreams
    items: Lru[str] = field(default_factory=lambda: Lru(_MESSAGES))
    references: Lru[str] = field(default_factory=lambda: Lru(_MESSAGES))
    texts: Lru[str] = field(default_factory=lambda: Lru(_MESSAGES))
    encoded: Lru[tuple[BaseMessage, int | None, EncodedMessage]] = field(
        default_factory=lambda: Lru(_ENCODED)
    )
    runs: Lru[str] = field(default_factory=lambda: Lru(_CHECKPOINTS * 4))
    refused: Lru[str] = field(default_factory=lambda: Lru(_RUNS))
    session_version: int | None = None

    def forget_session(self) -> None:
        """Drop what is known of the session's messages."""
        self.items.clear()
        self.texts.clear()
        self.session_version = None


class StreamState:
    """What is known of a namespace of a thread, at a version of its stream.

    Attributes:
        version: of the stream; `None` = nothing is known.
        session_version: of the session when the lists were read; `None` = unknown.
        user: the owner.
        described: whether the stream says which thread it belongs to.
        unordered: whether checkpoints were written in another order than that of their ids.
        newest: the largest checkpoint id.
        lease: of the run that writes; root only.
        entries: checkpoints by id.
        chunks: the writes of checkpoints by id.
        tips: the last segment of runs.
        elements: references that elements in the stream restore, by digest.
        texts: digests of texts in the stream, with references to the messages that say them.
        without_id: references to messages that have no id yet, by digest.
        holders: the runs of this process; dead once they are over.
        erased: digests of messages that were erased since they were replaced.
    """

    def __init__(self, thread: ThreadState, namespace: str) -> None:
        self.thread, self.namespace = thread, namespace
        self.stream = thread.streams.stream(namespace)
        self.lock = threading.RLock()
        self.puts = 0
        self.holders: Lru[Callable[[], Any]] = Lru(_RUNS)
        self.erased: Lru[bool] = Lru(_ERASED)
        self.forget()

    def forget(self) -> None:
        """Drop everything: another process wrote, or nothing was read yet."""
        self.version: int | None = None
        self.session_version: int | None = None
        self.user: str | None = None
        self.described = False
        self.unordered = False
        self.newest: str | None = None
        self.lease: Lease | None = None
        self.entries: Lru[KnownCheckpoint] = Lru(_CHECKPOINTS)
        self.chunks: Lru[list[WriteChunk]] = Lru(_CHECKPOINTS * 4)
        self.tips: dict[str, int] = {}
        self.elements: dict[str, set[str]] = {}
        self.texts: dict[str, str | None] = {}
        self.without_id: dict[str, str] = {}

    @property
    def size(self) -> int:
        """About how many elements are kept; lists of one run share theirs."""
        return max(
            (len(value.keys) for entry in self.entries.values() for value in entry.lists.values()),
            default=0,
        )


class States:
    """The states of threads, those used least recently dropped first.

    Args:
        streams: makes the streams of a thread.
    """

    def __init__(self, streams: Callable[[str], ThreadStreams]) -> None:
        self._streams = streams
        self._threads: Lru[ThreadState] = Lru(_STREAMS)
        self._states: Lru[StreamState] = Lru(_STREAMS)
        self._lock = threading.Lock()

    def get(self, thread: str, namespace: str) -> StreamState:
        """The state of a namespace of a thread."""
        state_key = f"{len(thread)}:{thread}/{namespace}"
        with self._lock:
            stream_state = self._states.use(state_key)
            if stream_state is None:
                thread_state = self._threads.use(thread) or ThreadState(self._streams(thread))
                self._threads.keep(thread, thread_state)
                stream_state = StreamState(thread_state, namespace)
                self._states.keep(state_key, stream_state)
            return stream_state

    def drop(self, thread: str) -> None:
        """Forget a thread."""
        with self._lock:
            self._threads.pop(thread, None)
            for key in [k for k in self._states if k.startswith(f"{len(thread)}:{thread}/")]:
                del self._states[key]

    def clear(self) -> None:
        """Forget all threads."""
        with self._lock:
            self._threads.clear()
            self._states.clear()

    def trim(self) -> None:
        """Forget the threads used least recently while too many elements are kept."""
        with self._lock:
            element_count = sum(stream_state.size for stream_state in self._states.values())
            for key in list(self._states)[:-1]:
                if element_count <= _ELEMENTS:
                    return
                element_count -= self._states.pop(key).size
