"""From options to an open store and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threadkeep.config.option_spec import GivenOption
from threadkeep.config.read_options import Layer, by_name, read_options
from threadkeep.config.setting_options import SETTINGS
from threadkeep.config.settings import settings_of
from threadkeep.config.sources import Source
from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.stores import STORES
from threadkeep.config.urls import safe_scheme, without_secrets
from threadkeep.config.wrappers import wrap
from threadkeep.core.settings import NAMES, Settings
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown
from threadkeep.protocols import Backend


class OpenStore(NamedTuple):
    """A store, its settings, and its name for people, without secrets."""

    backend: Backend
    settings: Settings
    label: str


def open_store(source: Source, *fallbacks: Layer) -> OpenStore:
    """Open the store of a source; no I/O.

    Args:
        *fallbacks: options for what the source leaves open.

    Raises:
        ConfigError: the store or an option is not valid; it is named.
        MissingExtra: the store needs a package that is not installed.
    """
    kind = source.kind
    if not (isinstance(kind, str) and kind in STORES):
        return _open_plugin(source, fallbacks)
    values, store = read_store(kind, source.options, source.defaults, *fallbacks)
    for name in store.required:
        if name not in values:
            raise ConfigError(f"{kind} needs a {name}")
    if store.default_ttl is not None:
        values.setdefault("ttl", store.default_ttl)
    settings = settings_of(values)
    shared = {name: getattr(settings, name) for name in store.shared}
    store_options = {name: value for name, value in values.items() if name not in NAMES}
    backend = store.load()(**{**store.arguments, **store.resolve({**shared, **store_options})})
    return OpenStore(wrap(backend, settings), settings, display_name(kind, store_options))


def read_store(kind: str, *layers: Layer) -> tuple[dict[str, Any], StoreSpec]:
    """The validated options of a built-in store, and the kind of store that they mean."""
    store = STORES[kind]
    if any(option.name == "module_path" for layer in layers for option in layer):
        raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
    if store.variants:
        store = _variant(kind, store, layers)
    return read_options(kind, store.options, *layers), store


def _variant(kind: str, store: StoreSpec, layers: tuple[Layer, ...]) -> StoreSpec:
    """The kind of store that the option `db_type` means."""
    table = by_name(store.options)
    selecting = [
        [option for option in layer if option.name in table["db_type"].keys] for layer in layers
    ]
    db_type = read_options(kind, store.options, *selecting).get("db_type")
    return store if db_type is None else store.variants[db_type]


def display_name(kind: str, options: Mapping[str, Any]) -> str:
    """A store's name for people: its location, without secrets."""
    if isinstance(options.get("url"), str):
        return without_secrets(options["url"])
    return " ".join(str(part) for part in (kind, options.get("path", "")) if part)


def _open_plugin(source: Source, fallbacks: tuple[Layer, ...]) -> OpenStore:
    """Open a third-party backend with all options that are not settings."""
    from threadkeep.config import plugins  # rarely needed, and slow to load

    kind = source.kind
    names = {name for option in SETTINGS for name in option.keys}
    options = {option.name: option.value for option in source.options if option.name not in names}
    module_path = options.pop("module_path", None)
    if not isinstance(kind, str) or not plugins.is_plugin(kind, module_path):
        raise _unknown_store(kind, ("custom", *plugins.installed_plugins()))
    shared = [option for option in source.options if option.name in names]
    label = safe_scheme(kind)
    settings = settings_of(read_options(label, (), shared, source.defaults, *fallbacks))
    backend = plugins.build(plugins.find_factory(kind, module_path), options)
    return OpenStore(wrap(backend, settings), settings, display_name(label, options))


def _unknown_store(kind: object, other_kinds: tuple[str, ...]) -> ConfigError:
    schemes = {scheme for name, store in STORES.items() for scheme in (name, *store.schemes)}
    base = kind.partition("+")[0] if isinstance(kind, str) else ""  # of `sqlite+aiosqlite`
    is_driver = base != kind and base in schemes
    hint = (
        f"; write {base}://, which has one driver, for async code too"
        if is_driver
        else did_you_mean(kind, [*schemes, *other_kinds])
    )
    return ConfigError(f"no store of type {shown(safe_scheme(kind))}{hint}")


def keywords(options: Mapping[str, Any]) -> list[GivenOption]:
    """Keyword arguments as options."""
    return [GivenOption(name, value, "as an argument") for name, value in options.items()]
