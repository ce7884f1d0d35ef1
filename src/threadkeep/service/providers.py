"""History providers: validating the keys of one, and opening its store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from threadkeep.api.memory import Memory
from threadkeep.config import plugins
from threadkeep.config.open_store import read_store
from threadkeep.config.option_spec import GivenOption
from threadkeep.config.read_options import by_name
from threadkeep.config.settings import settings
from threadkeep.config.sources import expand_urls
from threadkeep.config.stores import STORES
from threadkeep.connect import connect
from threadkeep.core.settings import NAMES
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown
from threadkeep.service import validators

_SERVICE_SETTINGS: Final = frozenset(NAMES) - {"pool_size", "timeout"}
"""Settings of `connect` for which the service has keys of its own."""


class ProviderConfig(NamedTuple):
    """The selected provider: its type, its keys, and its factory (`None` = `connect`)."""

    kind: str
    options: Mapping[str, Any]
    maker: plugins.BackendFactory | None = None

    def open(self, **options: Any) -> Memory:
        """Open the store; its Memory closes it."""
        if self.maker is None:
            return connect({"type": self.kind, **self.options}, **options)
        backend = plugins.build(self.maker, self.options)
        return Memory(backend, settings(options), owned=True, label=self.kind)


def choose(
    kind: str, module_path: str | None, options: Mapping[str, Any], service_keys: Mapping[str, Any]
) -> ProviderConfig:
    """Select the provider of a type and validate its keys.

    Args:
        kind: the provider type.
        module_path: the module of a custom provider.
        options: the keys that are not those of the service itself.
        service_keys: the keys of the service, for suggestions.

    Raises:
        ConfigError: there is no such provider, or a key is missing, unknown or wrong.
    """
    if kind in STORES:
        if module_path is not None:
            raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
        return _built_in(kind, options, service_keys)
    if not plugins.is_plugin(kind, module_path):
        suggestion = did_you_mean(kind, [*STORES, *plugins.installed_plugins(), "custom"])
        raise ConfigError(f"type: there is no provider {shown(_printable(kind))}{suggestion}")
    return ProviderConfig(kind, dict(options), plugins.find_factory(kind, module_path))


def module_path(value: object) -> str | None:
    """The module of a custom provider, or None; templates use `.` for none."""
    return None if value in (None, "", ".") else validators.text("module_path", value)


def _built_in(
    kind: str, config: Mapping[str, Any], service_keys: Mapping[str, Any]
) -> ProviderConfig:
    table = by_name(STORES[kind].options)
    key_names = [name for name, spec in table.items() if spec.target not in _SERVICE_SETTINGS]
    for config_key in config:
        if config_key not in key_names:
            raise ConfigError(
                f"the provider {shown(kind)} has no key {shown(config_key)}"
                f"{did_you_mean(config_key, [*key_names, *service_keys])}"
            )
    options = [GivenOption(name, value) for name, value in config.items()]
    read_store(kind, list(expand_urls(kind, options)))
    targets = {table[name].target for name, value in config.items() if value is not None}
    for config_key in STORES[kind].service_keys:
        if table[config_key].target not in targets and "url" not in targets:
            raise ConfigError(f"{config_key} is missing: the provider {shown(kind)} needs it")
    return ProviderConfig(kind, dict(config))


def _printable(kind: str) -> str:
    """A type as an error may quote it: never a URL, which may hold a password."""
    return kind if len(kind) <= 64 and kind.replace("_", "").replace("-", "").isalnum() else "?"
