"""Opens a Memory from a URL, a dict, a path, a client or a backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.config import registry
from threadkeep.config.registry import (
    DEFAULT_URL,
    STORES,
    URL_SETTINGS,
    OptionParser,
    Url,
)
from threadkeep.config.settings import settings
from threadkeep.config.wrappers import wrap
from threadkeep.core.settings import NAMES
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.protocols import Backend

_SQLITE_SUFFIXES: Final = frozenset({".db", ".sqlite", ".sqlite3"})


def connect(store: object = None, /, **options: Any) -> Memory:
    """Open chat memory. No I/O happens before the first read or write.

    Args:
        store: a URL (`sqlite:///chat.db`, `sqlite:////abs/chat.db`, `file:chats`,
            `file:///abs/chats`, `memory://`, `none://`), a dict
            (`{"type": "sqlite", "path": "chat.db"}`), a `Path` to an SQLite file or to a folder
            of the file store, a SQLAlchemy `Engine`, a `Backend` of your own, which stays yours
            to close, or a history provider of your own, likewise (see
            `threadkeep.service.BaseHistoryProvider`). A third-party backend or provider is
            `{"type": "module:Class", ...}`, `{"type": "custom", "module_path": "module", ...}`
            or the name of an entry point of `threadkeep.backends`, as type or as URL scheme.
            `None` takes the environment variable `THREADKEEP_URL`, else `sqlite:///threadkeep.db`.
        **options: `namespace`, `require_user`, `window`, `retain`, `ttl`, `clock`, `pool_size`,
            `timeout`, `key`, `observe`, `longterm`, `llm`, `embedder`, `redactor`,
            `summary_ttl`; see `threadkeep.config.settings.Settings`. In a dict they may stand
            beside `type`, and in a URL those that are numbers or names:
            `sqlite:///chat.db?ttl=3600`.

    Raises:
        ConfigError: the store or an option is not valid; it is named.
        MissingExtra: the store needs a package that is not installed.
    """
    memory = _connect(store, options)
    if (other := memory._engine.settings.longterm) is not None:
        _open_longterm(memory, other)
    return memory


def _open_longterm(memory: Memory, other: object) -> None:
    """Open the store of long-term memory; a Memory passed in is not closed with this one."""
    own_settings = memory._engine.settings
    if isinstance(other, Memory):
        memory._engine.use_longterm_store(other._engine, owned=False)
        return
    shared = ("namespace", "clock", "pool_size", "timeout", "key", "observe")
    longterm_memory = _connect(other, {name: getattr(own_settings, name) for name in shared})
    memory._engine.use_longterm_store(longterm_memory._engine, owned=True)


def _connect(store: object, options: Mapping[str, Any]) -> Memory:
    if store is None:
        store = os.environ.get("THREADKEEP_URL") or DEFAULT_URL
    if isinstance(store, str):
        return _open(*_from_url(store), options)
    if isinstance(store, os.PathLike):
        return _open(*_from_path(Path(store)), options)
    if isinstance(store, Mapping):
        return _from_dict(store, options)
    if isinstance(store, Backend):
        validated = settings(options)
        return Memory(wrap(store, validated), validated)
    if client := registry.store_of_client(store):
        return _open(*client, options)
    if backend := _over_provider(store):
        return _connect(backend, options)
    raise ConfigError(
        f"cannot connect to a {type(store).__name__}: pass a URL, a dict, a Path or a Backend"
    )


def _over_provider(store: object) -> Backend | None:
    """A backend over a history provider; `None` if the object is none."""
    from threadkeep.config import plugins  # rarely needed, and slow to load

    return plugins.over_provider(store)


def _from_dict(config_dict: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    config = dict(config_dict)
    options = _merge_options(options, {name: config.pop(name) for name in NAMES if name in config})
    kind_in_dict = config.pop("type", None if "url" in config else "memory")
    if "url" not in config or not (kind_in_dict is None or _is_built_in(kind_in_dict)):
        return _open(kind_in_dict, config, options)
    kind, url_options = _from_url(config.pop("url"))
    if kind_in_dict not in (None, kind):
        raise ConfigError(
            f"type and url contradict each other: the url says {registry.safe_scheme(kind)!r}"
        )
    return _open(kind, _merge_options(url_options, config), options)


def _merge_options(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Merge options of two sources.

    Raises:
        ConfigError: both have an option, with different values.
    """
    for name in first.keys() & second.keys():
        if first[name] != second[name]:
            raise ConfigError(f"{name} is given twice, and differently")
    return {**first, **second}


def _from_url(text: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(text, str):
        raise ConfigError(f"url must be a str, got {type(text).__name__}")
    scheme, colon, rest = text.partition(":")
    if not colon:
        raise ConfigError(f"{DEFAULT_URL!r} is what a URL looks like; this one has no scheme")
    location, _, query = rest.partition("?")
    url = Url(scheme, location, query)
    kind = registry.kind_of_scheme(scheme)
    return (
        (scheme, registry.url_option(url))
        if kind is None
        else (kind, STORES[kind].url_options(url))
    )


def _from_path(path: Path) -> tuple[str, dict[str, Any]]:
    if path.is_dir():
        return "file", {"path": path}
    if path.suffix not in _SQLITE_SUFFIXES:
        raise ConfigError(
            f"{path} should end in one of {', '.join(sorted(_SQLITE_SUFFIXES))}, or be a folder "
            "that is there; 'file:...' makes one"
        )
    return "sqlite", {"path": path}


def _open(kind: object, store_options: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    if not _is_built_in(kind):
        return _open_plugin(kind, store_options, options)
    store = STORES[str(kind)]
    if "module_path" in store_options:
        raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
    parsed = _parse_options(str(kind), {**store.options, **URL_SETTINGS}, store_options)
    for name in store.required:
        if name not in parsed:
            raise ConfigError(f"{kind} needs a {name}")
    setting_options = {name: parsed.pop(name) for name in URL_SETTINGS if name in parsed}
    setting_options = _merge_options(
        setting_options, store.session_ttl(parsed, {**setting_options, **options})
    )
    validated = settings(_merge_options(setting_options, options))
    shared = {name: getattr(validated, name) for name in store.shared}
    backend = store.load()(**shared, **parsed)
    label = registry.display_name(str(kind), store_options)
    return Memory(wrap(backend, validated), validated, owned=True, label=label)


def _is_built_in(kind: object) -> bool:
    return isinstance(kind, str) and kind in STORES


def _open_plugin(
    kind: object, store_options: Mapping[str, Any], options: Mapping[str, Any]
) -> Memory:
    """Open a third-party backend with all options that are not settings."""
    from threadkeep.config import plugins  # rarely needed, and slow to load

    backend_options = dict(store_options)
    module_path = backend_options.pop("module_path", None)
    if not isinstance(kind, str) or not plugins.is_plugin(kind, module_path):
        raise registry.unknown_store(kind, ("custom", *plugins.installed_plugins()))
    setting_options = {
        name: backend_options.pop(name) for name in URL_SETTINGS if name in backend_options
    }
    validated = settings(
        _merge_options(
            _parse_options(registry.safe_scheme(kind), URL_SETTINGS, setting_options), options
        )
    )
    backend = plugins.build(plugins.find_factory(kind, module_path), backend_options)
    label = registry.display_name(registry.safe_scheme(kind), backend_options)
    return Memory(wrap(backend, validated), validated, owned=True, label=label)


def _parse_options(
    kind: str, parsers: Mapping[str, OptionParser], texts: Mapping[str, Any]
) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for name, value in texts.items():
        if name not in parsers:
            hint = did_you_mean(name, {*parsers, *NAMES})
            raise ConfigError(f"{kind} has no option {name!r}{hint}")
        try:
            parsed[name] = parsers[name](value) if isinstance(value, str) else value
        except ValueError as error:
            expected = registry.expected_value(parsers[name])
            raise ConfigError(f"{kind}: {name} must be {expected}") from error
    return parsed
