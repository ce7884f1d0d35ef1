"""From a URL, a dict, a path or a backend to a Memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.config import registry
from threadkeep.config.registry import (
    DEFAULT,
    IN_URLS,
    STORES,
    Read,
    Url,
)
from threadkeep.config.settings import settings
from threadkeep.config.wrappers import wrapped
from threadkeep.core.settings import NAMES
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.protocols import Backend

_FILES: Final = frozenset({".db", ".sqlite", ".sqlite3"})


def connect(store: object = None, /, **options: Any) -> Memory:
    """Open chat memory. No I/O happens before the first read or write.

    Args:
        store: a URL (`sqlite:///chat.db`, `sqlite:////abs/chat.db`, `file:chats`,
            `file:///abs/chats`, `memory://`, `none://`), a dict
            (`{"type": "sqlite", "path": "chat.db"}`), a `Path` to an SQLite file or to a folder
            of the file store, a SQLAlchemy `Engine` or a `Backend` of your own, which stays yours
            to close. A store of
            other people is `{"type": "module:Class", ...}`, `{"type": "custom", "module_path":
            "module", ...}` or the name of an entry point of `threadkeep.backends`, as type or as
            the scheme of a URL. `None` takes the environment variable `THREADKEEP_URL`, else
            `sqlite:///threadkeep.db`.
        **options: `namespace`, `require_user`, `window`, `retain`, `ttl`, `clock`, `pool_size`,
            `timeout`, `key`, `observe`, `longterm`, `llm`, `embedder`, `redactor`,
            `summary_ttl`; see `threadkeep.config.settings.Settings`. In a dict they may stand
            beside `type`, and in a URL those that are numbers or names:
            `sqlite:///chat.db?ttl=3600`.

    Raises:
        ConfigError: the store or an option is not understood; it is named.
        MissingExtra: the store needs a package that is not installed.
    """
    memory = _connected(store, options)
    if (other := memory.engine.settings.longterm) is not None:
        _keep_apart(memory, other)
    return memory


def _keep_apart(memory: Memory, other: object) -> None:
    """Open the store for long-term memory; a Memory of the application's own stays its own."""
    chosen = memory.engine.settings
    if isinstance(other, Memory):
        memory.engine.keep_apart(other.engine, owned=False)
        return
    shared = ("namespace", "clock", "pool_size", "timeout", "key", "observe")
    opened = _connected(other, {name: getattr(chosen, name) for name in shared})
    memory.engine.keep_apart(opened.engine, owned=True)


def _connected(store: object, options: Mapping[str, Any]) -> Memory:
    if store is None:
        store = os.environ.get("THREADKEEP_URL") or DEFAULT
    if isinstance(store, str):
        return _open(*_from_url(store), options)
    if isinstance(store, os.PathLike):
        return _open(*_from_path(Path(store)), options)
    if isinstance(store, Mapping):
        return _from_dict(store, options)
    if isinstance(store, Backend):
        chosen = settings(options)
        return Memory(wrapped(store, chosen), chosen)
    if client := registry.of_client(store):
        return _open(*client, options)
    raise ConfigError(
        f"cannot connect to a {type(store).__name__}: pass a URL, a dict, a Path or a Backend"
    )


def _from_dict(given: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    config = dict(given)
    options = _merged(options, {name: config.pop(name) for name in NAMES if name in config})
    said = config.pop("type", None if "url" in config else "memory")
    if "url" not in config or not (said is None or _built_in(said)):
        return _open(said, config, options)
    kind, found = _from_url(config.pop("url"))
    if said not in (None, kind):
        raise ConfigError(
            f"type and url contradict each other: the url says {registry.public(kind)!r}"
        )
    return _open(kind, _merged(found, config), options)


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Options from two places.

    Raises:
        ConfigError: one is given in both, and differently.
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
        raise ConfigError(f"{DEFAULT!r} is what a URL looks like; this one has no scheme")
    place, _, query = rest.partition("?")
    url = Url(scheme, place, query)
    kind = registry.of_scheme(scheme)
    return (scheme, registry.whole(url)) if kind is None else (kind, STORES[kind].place(url))


def _from_path(path: Path) -> tuple[str, dict[str, Any]]:
    if path.is_dir():
        return "file", {"path": path}
    if path.suffix not in _FILES:
        raise ConfigError(
            f"{path} should end in one of {', '.join(sorted(_FILES))}, or be a folder that is "
            "there; 'file:...' makes one"
        )
    return "sqlite", {"path": path}


def _open(kind: object, given: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    if not _built_in(kind):
        return _custom(kind, given, options)
    store = STORES[str(kind)]
    if "module_path" in given:
        raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
    found = _converted(str(kind), {**store.options, **IN_URLS}, given)
    for name in store.required:
        if name not in found:
            raise ConfigError(f"{kind} needs a {name}")
    said = {name: found.pop(name) for name in IN_URLS if name in found}
    said = _merged(said, store.life(found, {**said, **options}))
    chosen = settings(_merged(said, options))
    shared = {name: getattr(chosen, name) for name in store.shared}
    backend = store.load()(**shared, **found)
    at = registry.shown(str(kind), given)
    return Memory(wrapped(backend, chosen), chosen, owned=True, at=at)


def _built_in(kind: object) -> bool:
    return isinstance(kind, str) and kind in STORES


def _custom(kind: object, given: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    """The store of other people, made of all options that are not ours."""
    from threadkeep.config import plugins  # seldom wanted, and loads much

    found = dict(given)
    module_path = found.pop("module_path", None)
    if not isinstance(kind, str) or not plugins.exists(kind, module_path):
        raise registry.unknown(kind, ("custom", *plugins.installed()))
    said = {name: found.pop(name) for name in IN_URLS if name in found}
    chosen = settings(_merged(_converted(registry.public(kind), IN_URLS, said), options))
    made = plugins.make(plugins.find(kind, module_path), found)
    at = registry.shown(registry.public(kind), found)
    return Memory(wrapped(made, chosen), chosen, owned=True, at=at)


def _converted(kind: str, known: Mapping[str, Read], given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, {*known, *NAMES})
            raise ConfigError(f"{kind} has no option {name!r}{hint}")
        try:
            found[name] = known[name](value) if isinstance(value, str) else value
        except ValueError as error:
            wanted = registry.wanted(known[name])
            raise ConfigError(f"{kind}: {name} must be {wanted}") from error
    return found
