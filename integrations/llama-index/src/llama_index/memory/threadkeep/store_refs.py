"""References to stores: a name without secrets, and the open store with that name."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from threadkeep import Memory
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError

_live_memories: Final[WeakValueDictionary[str, Memory]] = WeakValueDictionary()


def register(memory: Memory, source: Memory | str | None) -> str | None:
    """Return a name for the store: its URL if that holds no secret, else its `repr`.

    `None` is the store of `connect()`. A number distinguishes open stores with the same `repr`.
    """
    if source is None or (isinstance(source, str) and _is_public(source)):
        return source
    for store_name, live_memory in _live_memories.items():
        if live_memory is memory:
            return store_name
    display_name, name_number = repr(memory), 1
    store_name = display_name
    while store_name in _live_memories:
        name_number += 1
        store_name = f"{display_name} #{name_number}"
    _live_memories[store_name] = memory
    return store_name


def resolve(name: str | None) -> Memory:
    """Return the open store with a name from `register`, called in this process or another.

    Raises:
        ConfigError: no store with that name is open in this process.
    """
    if name is None:
        return shared_memory()
    memory = _live_memories.get(name)
    if memory is not None:
        return memory
    if not name.startswith("<"):
        return shared_memory(name)
    raise ConfigError(
        f"the store {name} is not open in this process: connect it and make a "
        "ThreadkeepMemory on it before the context is restored"
    )


def _is_public(url: str) -> bool:
    url_parts = urlsplit(url)
    return "@" not in url_parts.netloc and not url_parts.query
