"""Views for analytics: messages, responses, token usage and feedback, where a store speaks SQL."""

from __future__ import annotations

from typing import Any

from threadkeep.api.memory import Memory
from threadkeep.core import names, store_record
from threadkeep.errors import ConfigError


def statements(memory: Memory) -> dict[str, str]:
    """The statement that makes each view, by the name of the view; nothing is done.

    Raises:
        ConfigError: the store knows no SQL, or is encrypted.
    """
    found: dict[str, str] = _backend(memory).views()
    return found


def create(memory: Memory) -> list[str]:
    """Make the views, or make them anew; returns their names.

    Raises:
        ConfigError: the store knows no SQL, or is encrypted, so that views would see nothing.
        BackendError: the database refuses it, as for want of a permission.
    """
    backend = _backend(memory)
    engine = memory.engine
    home = names.home(engine.settings.namespace)
    if store_record.read(engine.backend, home, engine.now()).encrypted:
        raise _encrypted()
    made: list[str] = backend.make_views()
    return made


def drop(memory: Memory) -> list[str]:
    """Drop the views, if they are there; returns their names.

    Raises:
        ConfigError: the store knows no SQL.
        BackendError: the database refuses it.
    """
    gone: list[str] = _backend(memory, encrypted=True).drop_views()
    return gone


async def acreate(memory: Memory) -> list[str]:
    """As `create`."""
    return await memory.engine.hop(lambda: create(memory))


async def adrop(memory: Memory) -> list[str]:
    """As `drop`."""
    return await memory.engine.hop(lambda: drop(memory))


def _backend(memory: Memory, *, encrypted: bool = False) -> Any:
    """The store that makes views, beneath what watches it.

    Raises:
        ConfigError: it makes none.
    """
    backend: Any = memory.engine.backend
    while hasattr(backend, "inner"):
        if hasattr(backend, "ring") and not encrypted:
            raise _encrypted()
        backend = backend.inner
    if not hasattr(backend, "make_views"):
        raise ConfigError(
            f"{memory!r} knows no SQL, so it has no views: export it "
            "(`threadkeep export --all`), or copy it to SQLite (`threadkeep copy`)"
        )
    return backend


def _encrypted() -> ConfigError:
    return ConfigError(
        "the store is encrypted, so views would see nothing: copy it to a store without a key "
        "where that is allowed (`threadkeep copy` with THREADKEEP_SOURCE_KEY), or use "
        "`threadkeep stats` and `threadkeep feedback`"
    )
