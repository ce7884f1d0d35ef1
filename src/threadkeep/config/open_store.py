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
    store_kind = source.kind
    if not (isinstance(store_kind, str) and store_kind in STORES):
        return _open_plugin(source, fallbacks)
    option_values, store_spec = read_store(store_kind, source.options, source.defaults, *fallbacks)
    for option_name in store_spec.required:
        if option_name not in option_values:
            raise ConfigError(f"{store_kind} needs a {option_name}")
    if store_spec.default_ttl is not None:
        option_values.setdefault("ttl", store_spec.default_ttl)
    settings = settings_of(option_values)
    shared_options = {name: getattr(settings, name) for name in store_spec.shared}
    store_options = {
        option_name: option_value
        for option_name, option_value in option_values.items()
        if option_name not in NAMES
    }
    backend = store_spec.load()(
        **{**store_spec.arguments, **store_spec.resolve({**shared_options, **store_options})}
    )
    return OpenStore(wrap(backend, settings), settings, display_name(store_kind, store_options))


def read_store(kind: str, *layers: Layer) -> tuple[dict[str, Any], StoreSpec]:
    """The validated options of a built-in store, and the kind of store that they mean."""
    store_spec = STORES[kind]
    if any(option.name == "module_path" for layer in layers for option in layer):
        raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
    if store_spec.variants:
        store_spec = _variant(kind, store_spec, layers)
    return read_options(kind, store_spec.options, *layers), store_spec


def _variant(kind: str, store_spec: StoreSpec, layers: tuple[Layer, ...]) -> StoreSpec:
    """The kind of store that the option `db_type` means."""
    spec_by_name = by_name(store_spec.options)
    db_type_layers = [
        [option for option in layer if option.name in spec_by_name["db_type"].keys]
        for layer in layers
    ]
    db_type = read_options(kind, store_spec.options, *db_type_layers).get("db_type")
    return store_spec if db_type is None else store_spec.variants[db_type]


def display_name(kind: str, options: Mapping[str, Any]) -> str:
    """A store's name for people: its location, without secrets."""
    if isinstance(options.get("url"), str):
        return without_secrets(options["url"])
    return " ".join(str(name_part) for name_part in (kind, options.get("path", "")) if name_part)


def _open_plugin(source: Source, fallbacks: tuple[Layer, ...]) -> OpenStore:
    """Open a third-party backend with all options that are not settings."""
    from threadkeep.config import plugins  # rarely needed, and slow to load

    plugin_kind = source.kind
    setting_names = {option_name for option in SETTINGS for option_name in option.keys}
    plugin_options = {
        option.name: option.value for option in source.options if option.name not in setting_names
    }
    module_path = plugin_options.pop("module_path", None)
    if not isinstance(plugin_kind, str) or not plugins.is_plugin(plugin_kind, module_path):
        raise _unknown_store(plugin_kind, ("custom", *plugins.installed_plugins()))
    setting_options = [option for option in source.options if option.name in setting_names]
    kind_label = safe_scheme(plugin_kind)
    settings = settings_of(
        read_options(kind_label, (), setting_options, source.defaults, *fallbacks)
    )
    backend = plugins.build(plugins.find_factory(plugin_kind, module_path), plugin_options)
    return OpenStore(wrap(backend, settings), settings, display_name(kind_label, plugin_options))


def _unknown_store(kind: object, other_kinds: tuple[str, ...]) -> ConfigError:
    known_schemes = {
        scheme
        for store_kind, store_spec in STORES.items()
        for scheme in (store_kind, *store_spec.schemes)
    }
    base_scheme = kind.partition("+")[0] if isinstance(kind, str) else ""  # of `sqlite+aiosqlite`
    is_driver = base_scheme != kind and base_scheme in known_schemes
    hint = (
        f"; write {base_scheme}://, which has one driver, for async code too"
        if is_driver
        else did_you_mean(kind, [*known_schemes, *other_kinds])
    )
    return ConfigError(f"no store of type {shown(safe_scheme(kind))}{hint}")


def keywords(options: Mapping[str, Any]) -> list[GivenOption]:
    """Keyword arguments as options."""
    return [GivenOption(keyword, value, "as an argument") for keyword, value in options.items()]
