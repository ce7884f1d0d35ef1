"""Third-party backends (plugins), named by module, `module:Class` or entry point."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Final

from threadkeep.backends.history_provider import HistoryProviderBackend, provider
from threadkeep.errors import ConfigError, ImportConfigError, ThreadkeepError, did_you_mean
from threadkeep.printable import shown
from threadkeep.protocols import Backend

GROUP: Final = "threadkeep.backends"
"""The entry point group in which packages register their backends."""

_VERBS: Final = ("read", "commit", "streams", "sweep", "close")

BackendFactory = Callable[..., object]


def installed_plugins() -> list[str]:
    """The names of backends that installed packages register."""
    return sorted(entry_points(group=GROUP).names)


def is_plugin(kind: str, module_path: str | None = None) -> bool:
    """Return True if a store type names a third-party backend."""
    return module_path is not None or kind == "custom" or ":" in kind or kind in installed_plugins()


def find_factory(kind: str = "custom", module_path: str | None = None) -> BackendFactory:
    """The factory of a backend, usually its class.

    Args:
        kind: `custom`, the name of a class in `module_path`, `module:Class`, or the name of an
            entry point.
        module_path: a dotted module name, or `module:Class`. A module that defines exactly one
            backend needs no class name.

    Raises:
        ConfigError: there is no such module, class or entry point, or more than one.
    """
    if module_path is None and ":" in kind:
        return _class_in_module(*_split("type", kind))
    if module_path is None and kind == "custom":
        raise ConfigError("module_path is missing: type: custom needs the module of the store")
    if module_path is None:
        return _entry_point(kind)
    if ":" in module_path:
        return _class_in_module(*_split("module_path", module_path))
    plugin_module = _module("module_path", module_path)
    return _only_backend(plugin_module) if kind == "custom" else _member(plugin_module, kind)


def build(maker: BackendFactory, options: Mapping[str, Any]) -> Backend:
    """Build a backend as `factory(**options)`, or over a history provider, `Class(options)`.

    Raises:
        ConfigError: it refused its options, or the result is no backend. No value of an option
            is shown.
    """
    factory_name = getattr(maker, "__qualname__", type(maker).__name__)
    takes_dict = _is_provider_class(maker)
    if takes_dict:
        _require_methods(maker, factory_name)
    try:
        built_store = _make_provider(maker, options) if takes_dict else maker(**options)
    except ThreadkeepError:
        raise
    except Exception as error:
        failure_summary = (
            f"{factory_name} could not be made of its options ({', '.join(options) or 'none'})"
        )
        masked_error, is_masked = _without_values(f"{type(error).__name__}: {error}", options)
        raise ConfigError(f"{failure_summary}: {masked_error}") from (None if is_masked else error)
    if isinstance(built_store, Backend):
        return built_store
    if adapted_backend := over_provider(built_store):
        return adapted_backend
    missing_verbs = [verb for verb in ("blocking", *_VERBS) if not hasattr(built_store, verb)]
    raise ConfigError(
        f"{factory_name} is not a threadkeep.Backend: it lacks {', '.join(missing_verbs)}; "
        f"nor is it a history provider, which has {', '.join(provider.METHODS)}"
    )


def over_provider(store: object) -> Backend | None:
    """A backend over a history provider; `None` if the object has none of its methods.

    Raises:
        ConfigError: it lacks some of them.
    """
    if inspect.isclass(store) or not provider.looks_like_one(store):
        return None
    _require_methods(store, type(store).__qualname__)
    return HistoryProviderBackend(store)


def _is_provider_class(maker: BackendFactory) -> bool:
    return inspect.isclass(maker) and not _has_verbs(maker) and provider.looks_like_one(maker)


def _make_provider(cls: BackendFactory, options: Mapping[str, Any]) -> object:
    """Construct a history provider with its configuration, as Solace Agent Mesh does."""
    takes_no_arguments = getattr(cls, "__init__", None) is object.__init__
    return cls() if takes_no_arguments and not options else cls(dict(options))


def _require_methods(store: object, name: str) -> None:
    if missing_methods := provider.missing_methods(store):
        raise ConfigError(
            f"{name} is not a history provider: it lacks {', '.join(missing_methods)}, "
            "as plain methods"
        )


def _split(key: str, path: str) -> tuple[str, str, str]:
    module_path, _, class_name = path.partition(":")
    if not class_name.isidentifier():  # a URL, which may hold a password
        raise ConfigError(f"{key} must be a name or 'module:Class', such as 'shop.memory:Shop'")
    return key, module_path, class_name


def _class_in_module(key: str, path: str, name: str) -> BackendFactory:
    return _member(_module(key, path), name)


def _module(key: str, path: str) -> ModuleType:
    if not all(path_part.isidentifier() for path_part in path.split(".")):
        raise ConfigError(f"{key} must be a dotted module name, such as 'shop.memory'")
    try:
        return importlib.import_module(path)
    except ThreadkeepError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ImportConfigError(f"{key}: {shown(path)} cannot be imported: {reason}") from error


def _member(module: ModuleType, name: str) -> BackendFactory:
    factory = getattr(module, name, None)
    if not callable(factory):
        store_names = [
            attribute_name for attribute_name in vars(module) if _is_store(module, attribute_name)
        ]
        raise ConfigError(
            f"type: {module.__name__} has no class {shown(name)}"
            f"{did_you_mean(name, store_names) if store_names else ''}"
        )
    store_factory: BackendFactory = factory
    return store_factory


def _only_backend(module: ModuleType) -> BackendFactory:
    store_names = [name for name in vars(module) if _is_store(module, name)]
    if len(store_names) != 1:
        if not store_names:
            _require_complete_provider(module)
        contents_clause = (
            f"defines {', '.join(store_names)}"
            if store_names
            else "defines no class with all of a store"
        )
        raise ConfigError(
            f"module_path: {module.__name__} {contents_clause}; with exactly one it is taken, "
            "else name the class, as type: 'MyBackend' or type: 'module:MyBackend'"
        )
    factory: BackendFactory = vars(module)[store_names[0]]
    return factory


def _require_complete_provider(module: ModuleType) -> None:
    """Raise if a class of the module is nearly a history provider: it names what is missing."""
    for class_name, attribute in vars(module).items():
        if _is_defined_in(module, class_name) and provider.looks_like_one(attribute):
            _require_methods(attribute, class_name)


def _is_store(module: ModuleType, name: str) -> bool:
    module_attribute = vars(module)[name]
    if not _is_defined_in(module, name) or inspect.isabstract(module_attribute):
        return False
    return _has_verbs(module_attribute) or not provider.missing_methods(module_attribute)


def _is_defined_in(module: ModuleType, name: str) -> bool:
    module_attribute = vars(module)[name]
    return (
        inspect.isclass(module_attribute)
        and not name.startswith("_")
        and f"{module_attribute.__module__}.".startswith(f"{module.__name__}.")
    )


def _has_verbs(cls: object) -> bool:
    return all(callable(getattr(cls, verb, None)) for verb in _VERBS)


def _entry_point(kind: str) -> BackendFactory:
    candidates = list(entry_points(group=GROUP, name=kind))
    if len(candidates) != 1:
        problem_text = "several packages announce" if candidates else "no package announces"
        raise ConfigError(f"type: {problem_text} {shown(kind)} as an entry point of {shown(GROUP)}")
    try:
        factory: BackendFactory = candidates[0].load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"type: {shown(candidates[0].value)} cannot be loaded: {reason}"
        ) from error
    return factory


def _without_values(text: str, options: Mapping[str, Any]) -> tuple[str, bool]:
    """The text with every option value masked, and whether there was one."""
    option_texts = {str(value) for value in options.values() if isinstance(value, (str, bytes))}
    masked_text = text
    for option_text in sorted(option_texts, key=len, reverse=True):
        masked_text = masked_text.replace(option_text, "***") if option_text else masked_text
    return masked_text, masked_text != text
