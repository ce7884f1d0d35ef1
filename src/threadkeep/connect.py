"""From a URL, a dict, a path or a backend to a Memory."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from threadkeep.config import NAMES, settings
from threadkeep.errors import ConfigError
from threadkeep.memory import Memory
from threadkeep.protocols import Backend
from threadkeep.suggest import nearest

_DEFAULT: Final = "sqlite:///threadkeep.db"
_FILES: Final = frozenset({".db", ".sqlite", ".sqlite3"})


_IN_URLS: Final[Mapping[str, Callable[[str], Any]]] = {
    "namespace": str,
    "ttl": float,
    "pool_size": int,
    "timeout": float,
}


class _Store(NamedTuple):
    """Where a backend's class is, and what a URL or dict may tell it."""

    module: str
    name: str
    options: Mapping[str, Callable[[str], Any]]
    shared: tuple[str, ...] = ()  # settings the backend wants as well


_STORES: Final = {
    "memory": _Store("threadkeep.backends.memory", "MemoryBackend", {"max_sessions": int}),
    "none": _Store("threadkeep.backends.none", "NoneBackend", {}),
    "sqlite": _Store(
        "threadkeep.backends.sqlite",
        "SqliteBackend",
        {"path": str, "synchronous": str},
        ("pool_size", "timeout"),
    ),
}


def connect(store: object = None, /, **options: Any) -> Memory:
    """Open chat memory. No I/O happens before the first read or write.

    Args:
        store: a URL (`sqlite:///chat.db`, `sqlite:////abs/chat.db`, `memory://`, `none://`), a
            dict (`{"type": "sqlite", "path": "chat.db"}`), a `Path` to an SQLite file, or a
            `Backend` of your own, which stays yours to close. `None` takes the environment
            variable `THREADKEEP_URL`, else `sqlite:///threadkeep.db`.
        **options: `namespace`, `require_user`, `window`, `retain`, `ttl`, `clock`, `pool_size`,
            `timeout`; see `threadkeep.config.Settings`. In a dict they may stand beside `type`,
            and in a URL those that are numbers or names: `sqlite:///chat.db?ttl=3600`.

    Raises:
        ConfigError: the store or an option is not understood; it is named.
    """
    if store is None:
        store = os.environ.get("THREADKEEP_URL") or _DEFAULT
    if isinstance(store, str):
        return _open(*_from_url(store), options)
    if isinstance(store, os.PathLike):
        return _open("sqlite", {"path": _file(Path(store))}, options)
    if isinstance(store, Mapping):
        return _from_dict(store, options)
    if isinstance(store, Backend):
        return Memory(store, settings(options))
    raise ConfigError(
        f"cannot connect to a {type(store).__name__}: pass a URL, a dict, a Path or a Backend"
    )


def _from_dict(given: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    config = dict(given)
    options = _merged(options, {name: config.pop(name) for name in NAMES if name in config})
    if "url" not in config:
        return _open(config.pop("type", "memory"), config, options)
    kind, found = _from_url(config.pop("url"))
    if config.pop("type", kind) != kind:
        raise ConfigError(f"type and url contradict each other: the url says {_public(kind)!r}")
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


def _from_url(url: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(url, str):
        raise ConfigError(f"url must be a str, got {type(url).__name__}")
    scheme, colon, rest = url.partition(":")
    if not colon:
        raise ConfigError(f"{_DEFAULT!r} is what a URL looks like; this one has no scheme")
    if not rest.startswith("//"):
        raise ConfigError(f"{_public(scheme)}: needs two slashes behind it, as in {_DEFAULT!r}")
    place, _, query = rest.removeprefix("//").partition("?")
    given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    if scheme == "sqlite":
        return scheme, _merged({"path": _sqlite_path(place)}, given)
    if place and scheme in _STORES:
        raise ConfigError(f"{scheme}:// takes no host or path")
    return scheme, given


def _sqlite_path(place: str) -> str:
    if place in ("", "/", "/:memory:"):
        return ":memory:"
    if not place.startswith("/"):
        raise ConfigError(
            "sqlite:// has no host: three slashes begin a relative path (sqlite:///chat.db), "
            "four an absolute one"
        )
    return place[1:]


def _open(kind: object, given: Mapping[str, Any], options: Mapping[str, Any]) -> Memory:
    store = _STORES.get(kind) if isinstance(kind, str) else None
    if store is None:
        raise ConfigError(f"no store of type {_public(kind)!r}{nearest(kind, _STORES)}")
    found = _converted(str(kind), {**store.options, **_IN_URLS}, given)
    if "path" in store.options and "path" not in found:
        raise ConfigError(f"{kind} needs a path")
    said = {name: found.pop(name) for name in _IN_URLS if name in found}
    chosen = settings(_merged(said, options))
    shared = {name: getattr(chosen, name) for name in store.shared}
    backend = getattr(importlib.import_module(store.module), store.name)
    return Memory(backend(**shared, **found), chosen, owned=True, at=_described(str(kind), given))


def _converted(
    kind: str, known: Mapping[str, Callable[[str], Any]], given: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise ConfigError(f"{kind} has no option {name!r}{nearest(name, {*known, *NAMES})}")
        try:
            found[name] = known[name](value) if isinstance(value, str) else value
        except ValueError as error:
            wanted = known[name].__name__
            raise ConfigError(f"{kind}: {name} must be a {wanted}") from error
    return found


def _file(path: Path) -> Path:
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file in it, such as {path / 'chat.db'}")
    if path.suffix not in _FILES:
        raise ConfigError(f"{path} should end in one of {', '.join(sorted(_FILES))}")
    return path


def _described(kind: str, given: Mapping[str, Any]) -> str:
    return " ".join(str(part) for part in (kind, given.get("path", "")) if part)


def _public(kind: object) -> str:
    """A scheme as an error may show it: never what may hold a password."""
    text = str(kind)
    return text if text.replace("+", "").isalnum() and len(text) <= 32 else "?"
