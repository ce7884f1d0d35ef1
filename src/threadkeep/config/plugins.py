"""Stores of other people: found by module, by `module:Class` or by entry point, and built."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Final

from threadkeep.errors import ConfigError, ThreadkeepError, did_you_mean
from threadkeep.protocols import Backend

GROUP: Final = "threadkeep.backends"
"""The entry point group in which a package announces its store under a name of its own."""

_VERBS: Final = ("read", "commit", "streams", "sweep", "close")

Maker = Callable[..., object]


def installed() -> list[str]:
    """The names under which installed packages announce a store."""
    return sorted(entry_points(group=GROUP).names)


def exists(kind: str, module_path: str | None = None) -> bool:
    """Whether a type is meant to be the store of other people, so that `find` can be asked."""
    return module_path is not None or kind == "custom" or ":" in kind or kind in installed()


def find(kind: str = "custom", module_path: str | None = None) -> Maker:
    """What makes the store: a class, most often.

    Args:
        kind: `custom`, the name of a class in `module_path`, `module:Class`, or the name of an
            entry point.
        module_path: a dotted module name, or `module:Class`. A module that defines exactly one
            store needs no class name.

    Raises:
        ConfigError: there is no such module, class or entry point, or more than one.
    """
    if module_path is None and ":" in kind:
        return _named(*_split("type", kind))
    if module_path is None and kind == "custom":
        raise ConfigError("module_path is missing: type: custom needs the module of the store")
    if module_path is None:
        return _announced(kind)
    if ":" in module_path:
        return _named(*_split("module_path", module_path))
    module = _module("module_path", module_path)
    return _sole(module) if kind == "custom" else _member(module, kind)


def make(maker: Maker, options: Mapping[str, Any]) -> Backend:
    """The store, built as `Maker(**options)`.

    Raises:
        ConfigError: it refused its options, or what was made is no store. No value of an option
            is shown.
    """
    name = getattr(maker, "__qualname__", type(maker).__name__)
    try:
        made = maker(**options)
    except ThreadkeepError:
        raise
    except Exception as error:
        refused = f"{name} could not be made of its options ({', '.join(options) or 'none'})"
        said, hidden = _without_values(f"{type(error).__name__}: {error}", options)
        raise ConfigError(f"{refused}: {said}") from (None if hidden else error)
    if not isinstance(made, Backend):
        lacks = [verb for verb in ("blocking", *_VERBS) if not hasattr(made, verb)]
        raise ConfigError(f"{name} is no threadkeep.Backend: it lacks {', '.join(lacks)}")
    return made


def _split(key: str, path: str) -> tuple[str, str, str]:
    module, _, name = path.partition(":")
    if not name.isidentifier():  # a URL, which may hold a password
        raise ConfigError(f"{key} must be a name or 'module:Class', such as 'shop.memory:Shop'")
    return key, module, name


def _named(key: str, path: str, name: str) -> Maker:
    return _member(_module(key, path), name)


def _module(key: str, path: str) -> ModuleType:
    if not all(part.isidentifier() for part in path.split(".")):
        raise ConfigError(f"{key} must be a dotted module name, such as 'shop.memory'")
    try:
        return importlib.import_module(path)
    except ThreadkeepError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{key}: {path!r} cannot be imported: {said}") from error


def _member(module: ModuleType, name: str) -> Maker:
    found = getattr(module, name, None)
    if not callable(found):
        names = [known for known in vars(module) if _is_store(module, known)]
        raise ConfigError(
            f"type: {module.__name__} has no class {name!r}"
            f"{did_you_mean(name, names) if names else ''}"
        )
    made: Maker = found
    return made


def _sole(module: ModuleType) -> Maker:
    names = [name for name in vars(module) if _is_store(module, name)]
    if len(names) != 1:
        said = f"defines {', '.join(names)}" if names else "defines no class with all of a store"
        raise ConfigError(
            f"module_path: {module.__name__} {said}; with exactly one it is taken, else name the "
            "class, as type: 'MyBackend' or type: 'module:MyBackend'"
        )
    sole: Maker = vars(module)[names[0]]
    return sole


def _is_store(module: ModuleType, name: str) -> bool:
    value = vars(module)[name]
    if not inspect.isclass(value) or name.startswith("_") or inspect.isabstract(value):
        return False
    own = f"{value.__module__}.".startswith(f"{module.__name__}.")
    return own and all(callable(getattr(value, verb, None)) for verb in _VERBS)


def _announced(kind: str) -> Maker:
    found = list(entry_points(group=GROUP, name=kind))
    if len(found) != 1:
        many = "several packages announce" if found else "no package announces"
        raise ConfigError(f"type: {many} {kind!r} as an entry point of {GROUP!r}")
    try:
        made: Maker = found[0].load()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ConfigError(f"type: {found[0].value!r} cannot be loaded: {said}") from error
    return made


def _without_values(text: str, options: Mapping[str, Any]) -> tuple[str, bool]:
    """The text with every value of an option masked, and whether there was one."""
    values = {str(value) for value in options.values() if isinstance(value, (str, bytes))}
    shown = text
    for value in sorted(values, key=len, reverse=True):
        shown = shown.replace(value, "***") if value else shown
    return shown, shown != text
