"""One Memory per URL and process, for adapters that take a URL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from threadkeep.api.memory import Memory
from threadkeep.connect import connect
from threadkeep.errors import ConfigError
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class RecordStore(Protocol):
    """The records of a Memory's store, read and written by its clock, within its namespace."""

    def now(self) -> float:
        """The clock's time in epoch seconds."""
        ...

    def stream(self, noun: str, name: str) -> str:
        """The name of a stream in the Memory's namespace."""
        ...

    def read(self, *queries: Query) -> list[Page]:
        """Answer each query with a page: `Backend.read`."""
        ...

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl,
        expect: int | None = None,
    ) -> Commit:
        """Drop, then put, in one atomic step: `Backend.commit`."""
        ...

    def streams(self, prefix: str, *, cursor: Any, limit: int) -> tuple[list[str], Any]:
        """Names of streams that begin with `prefix`, and the next cursor: `Backend.streams`."""
        ...


def record_store(memory: Memory) -> RecordStore:
    """The records of a Memory's store, for adapters that keep streams of their own."""
    return memory._engine


_memories: Final[dict[tuple[str, str], Memory]] = {}
_lock = threading.Lock()


def shared_memory(store: Memory | str) -> Memory:
    """Return the Memory itself, or the one for a URL, opened once per process; does no I/O.

    A Memory that was closed is opened again. Callers need not close it: the store's connections
    end with the process.

    Raises:
        ConfigError: it is neither a Memory nor a valid URL.
    """
    if isinstance(store, Memory):
        return store
    if not isinstance(store, str):
        raise ConfigError(
            f"memory must be a Memory or a URL such as 'sqlite:///chat.db', "
            f"got {type(store).__name__}"
        )
    key = (store, str(Path.cwd()))  # a relative path is another store elsewhere
    with _lock:
        memory = _memories.get(key)
        if memory is None or memory._engine.closed:
            memory = _memories[key] = connect(store)
        return memory


def close() -> None:
    """Close every Memory opened by `shared_memory`, for example at the end of a test."""
    with _lock:
        for memory in _memories.values():
            memory.close()
        _memories.clear()
