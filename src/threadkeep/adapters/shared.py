"""One Memory per URL in a process, for adapters that are handed a URL at many places."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.connect import connect
from threadkeep.errors import ConfigError

_opened: Final[dict[tuple[str, str], Memory]] = {}
_lock = threading.Lock()


def shared(store: Memory | str) -> Memory:
    """The Memory itself, or the one of a URL: opened once per process, without any I/O.

    A Memory that was closed meanwhile is opened anew. Nobody has to close it: the store's
    connections go with the process.

    Raises:
        ConfigError: it is neither, or the URL is not understood.
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
        found = _opened.get(key)
        if found is None or found.engine.closed:
            found = _opened[key] = connect(store)
        return found


def close() -> None:
    """Close every Memory that was opened here, as at the end of a test."""
    with _lock:
        for memory in _opened.values():
            memory.close()
        _opened.clear()
