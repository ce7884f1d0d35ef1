"""Views for analytics: messages, responses, token usage and feedback, where a store speaks SQL."""

from __future__ import annotations

from threadkeep.api.memory import Memory
from threadkeep.core import names, store_record
from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.protocols import SupportsViews, WrapsBackend


def statements(memory: Memory) -> dict[str, str]:
    """The statement that creates each view, by the view's name; executes nothing.

    Raises:
        ConfigError: the store knows no SQL, or is encrypted.
    """
    return _backend(memory).views()


def create(memory: Memory) -> list[str]:
    """Create or replace the views; returns their names.

    Raises:
        ConfigError: the store knows no SQL, or is encrypted, so that views would see nothing.
        BackendError: the database refuses it, as for want of a permission.
    """
    backend = _backend(memory)
    engine = memory._engine
    namespace_prefix = names.namespace_prefix(engine.settings.namespace)
    if store_record.read(engine.backend, namespace_prefix, engine.now()).encrypted:
        raise _encrypted()
    return backend.make_views()


def drop(memory: Memory) -> list[str]:
    """Drop the views that exist; returns the names of all.

    Raises:
        ConfigError: the store knows no SQL.
        BackendError: the database refuses it.
    """
    return _backend(memory, encrypted=True).drop_views()


async def acreate(memory: Memory) -> list[str]:
    """As `create`."""
    return await memory.to_thread(create, memory)


async def adrop(memory: Memory) -> list[str]:
    """As `drop`."""
    return await memory.to_thread(drop, memory)


def _backend(memory: Memory, *, encrypted: bool = False) -> SupportsViews:
    """The store that supports views, without its wrappers.

    Raises:
        ConfigError: it does not support views.
    """
    backend = memory.backend
    while isinstance(backend, WrapsBackend):
        if hasattr(backend, "ring") and not encrypted:
            raise _encrypted()
        backend = backend.inner
    if not isinstance(backend, SupportsViews):
        raise ConfigError(
            f"{shown(memory)} knows no SQL, so it has no views: export it "
            "(`threadkeep export --all`), or copy it to SQLite (`threadkeep copy`)"
        )
    return backend


def _encrypted() -> ConfigError:
    return ConfigError(
        "the store is encrypted, so views would see nothing: copy it to a store without a key "
        "where that is allowed (`threadkeep copy` with THREADKEEP_SOURCE_KEY), or use "
        "`threadkeep stats` and `threadkeep feedback`"
    )
