"""One Memory per URL and process, for adapters that take a URL."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from threadkeep.adapters.identity import SessionId, session_id_text
from threadkeep.api.memory import Memory
from threadkeep.backends.common import fork
from threadkeep.config.stores import kind_of_scheme
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


_memories: Final[dict[tuple[object, ...], Memory]] = {}
_lock: Final = fork.ProcessLock()

_ENVIRONMENT: Final = ("THREADKEEP_", "ATP_")
"""Where the names of variables begin that `connect()` reads."""


def shared_memory(store: Memory | str | None = None) -> Memory:
    """Return the Memory itself, or the one for a URL, opened once per process; does no I/O.

    A Memory that was closed is opened again. Callers need not close it: the store's connections
    end with the process.

    Args:
        store: a Memory, or a URL; `None` = the store of `connect()`.

    Raises:
        ConfigError: it is neither a Memory nor a valid URL.
    """
    if isinstance(store, Memory):
        return store
    if not isinstance(store, str | None) or (store is not None and ":" not in store):
        raise ConfigError(
            f"memory must be a Memory or a URL such as 'sqlite:///chat.db', got "
            f"{'a str that is not a URL' if isinstance(store, str) else type(store).__name__}; "
            "an id belongs in session_id= or user="
        )
    cache_key = (store, str(Path.cwd()), *_environment())
    with _lock:
        memory = _memories.get(cache_key)
        if memory is None or memory._engine.closed:
            memory = _memories[cache_key] = _connect(store)
        return memory


def open_conversation(
    session_id: SessionId | None, memory: Memory | str | None
) -> tuple[str, Memory]:
    """The first two arguments of an adapter for one conversation, validated; does no I/O.

    Args:
        session_id: `None` = a new session with an id of its own.
        memory: as for `shared_memory`.

    Raises:
        ConfigError: one of them is not valid, or they are the wrong way round.
    """
    if isinstance(session_id, Memory) or (not _is_store(memory) and _is_store(session_id)):
        raise ConfigError(
            "session_id is a Memory or a URL: the order is session_id, memory; to leave out "
            "session_id, pass memory= by keyword"
        )
    session_name = str(uuid4()) if session_id is None else session_id_text(session_id)
    return session_name, shared_memory(memory)


def _is_store(value: object) -> bool:
    """Return True for a Memory and for the URL of a built-in store."""
    scheme, separator, _ = value.partition("://") if isinstance(value, str) else ("", "", "")
    return isinstance(value, Memory) or (bool(separator) and kind_of_scheme(scheme) is not None)


def _environment() -> list[tuple[str, str]]:
    return sorted(pair for pair in os.environ.items() if pair[0].startswith(_ENVIRONMENT))


def _connect(store: str | None) -> Memory:
    try:
        return connect(store)
    except ConfigError as error:
        raise ConfigError(f"memory: {error}") from error


def close() -> None:
    """Close every Memory opened by `shared_memory`, for example at the end of a test."""
    with _lock:
        for memory in _memories.values():
            memory.close()
        _memories.clear()
