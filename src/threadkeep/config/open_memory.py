"""From what `connect` is given to a Memory, with the store of its long-term memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from threadkeep.api.memory import Memory
from threadkeep.config.environment import from_environment
from threadkeep.config.open_store import OpenStore, keywords, open_store
from threadkeep.config.option_spec import GivenOption
from threadkeep.config.settings import settings
from threadkeep.config.sources import Source, from_dict, from_path, from_url
from threadkeep.config.stores import kind_of_client
from threadkeep.config.wrappers import wrap
from threadkeep.errors import ConfigError
from threadkeep.protocols import Backend


def open_memory(store: object, options: Mapping[str, Any]) -> Memory:
    """As `threadkeep.connect`."""
    memory = _connect(store, options)
    if (longterm_option := memory._engine.settings.longterm) is not None:
        _open_longterm(memory, longterm_option)
    return memory


def open_memory_by_flags(flags: Mapping[str, str]) -> Memory:
    """As `threadkeep.connect.connect_by_flags`."""
    return _memory(open_store(from_environment(flags)))


def _open_longterm(memory: Memory, other: object) -> None:
    """Open the store of long-term memory; a Memory passed in is not closed with this one."""
    own_settings = memory._engine.settings
    if isinstance(other, Memory):
        memory._engine.use_longterm_store(other._engine, owned=False)
        return
    shared_names = ("namespace", "clock", "sweep_grace", "pool_size", "timeout", "key", "observe")
    fallback_options = {name: getattr(own_settings, name) for name in shared_names}
    longterm_memory = _connect(other, {}, fallback_options)
    memory._engine.use_longterm_store(longterm_memory._engine, owned=True)


def _connect(
    store: object, options: Mapping[str, Any], fallbacks: Mapping[str, Any] | None = None
) -> Memory:
    if isinstance(store, Backend):
        validated_settings = settings({**(fallbacks or {}), **options})
        return Memory(wrap(store, validated_settings), validated_settings)
    store_source = _source(store)
    if store_source is None:
        return _connect(_over_provider(store), options, fallbacks)
    store_source = store_source._replace(options=[*store_source.options, *keywords(options)])
    return _memory(open_store(store_source, keywords(fallbacks or {})))


def _memory(store: OpenStore) -> Memory:
    return Memory(store.backend, store.settings, owned=True, label=store.label)


def _over_provider(store: object) -> Backend:
    """A backend over a history provider of the application's own."""
    from threadkeep.config import plugins  # rarely needed, and slow to load

    if backend := plugins.over_provider(store):
        return backend
    raise ConfigError(
        f"cannot connect to a {type(store).__name__}: pass a URL, a dict, a Path or a Backend"
    )


def _source(store: object) -> Source | None:
    """Where a store is; `None` for an object of the application's own."""
    if store is None:
        return from_environment()
    if isinstance(store, str):
        return from_url(store)
    if isinstance(store, os.PathLike):
        return from_path(Path(store))
    if isinstance(store, Mapping):
        return from_dict(store)
    if kind_and_option := kind_of_client(store):
        store_kind, client_option = kind_and_option
        return Source(store_kind, [GivenOption(client_option, store)])
    return None
