"""Validates the configuration of the history service and resolves its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from threadkeep.errors import ConfigError
from threadkeep.service import longterm_settings, providers, validators
from threadkeep.service.env import expand
from threadkeep.service.history_policy import HistoryPolicy
from threadkeep.service.longterm_settings import LongTermSettings
from threadkeep.service.providers import ProviderConfig
from threadkeep.service.validators import Validator

NESTED_KEY: Final = "history_policy"
_MODULE_PATH: Final = "module_path"

SERVICE_KEYS: Final[Mapping[str, tuple[Validator, Any]]] = {
    "type": (validators.text, "memory"),
    "time_to_live": (validators.seconds, 3_600.0),
    "expiration_check_interval": (validators.seconds, 300.0),
    "max_characters": (validators.characters, 50_000),
    "max_turns": (validators.turns, 40),
    "enforce_alternate_message_roles": (validators.flag, True),
    "retention": (validators.one_of("policy", "all"), "policy"),
    longterm_settings.ENABLED_KEY: (validators.flag, False),
}
"""The keys of the service itself: their validators and defaults."""

_KEYS: Final = (*SERVICE_KEYS, NESTED_KEY, _MODULE_PATH, longterm_settings.CONFIG_KEY)


class ServiceSettings(NamedTuple):
    """The validated settings of a history service.

    Attributes:
        provider: where histories are stored.
        service: every key of `SERVICE_KEYS`, with its value.
        module_path: the module of a custom provider.
        longterm: the settings of long-term memory; `None` = off.
    """

    provider: ProviderConfig
    service: Mapping[str, Any]
    module_path: str | None
    longterm: LongTermSettings | None

    @property
    def policy(self) -> HistoryPolicy:
        """The policy that `get_history` applies."""
        policy_keys = ("max_characters", "max_turns", "enforce_alternate_message_roles")
        return HistoryPolicy(*(self.service[policy_key] for policy_key in policy_keys))

    @property
    def retain(self) -> HistoryPolicy | None:
        """The policy for stored histories; `None` = everything stays."""
        keeps_all = self.service["retention"] == "all" or self.policy.unlimited
        return None if keeps_all else self.policy

    def differs(self, other: ServiceSettings) -> str | None:
        """A key whose value differs in the other settings, or `None`."""
        own_values, other_values = self._flat(), other._flat()
        no_value = object()
        for key in {**own_values, **other_values}:
            if not _same(own_values.get(key, no_value), other_values.get(key, no_value)):
                return key
        return None

    def _flat(self) -> dict[str, Any]:
        longterm = {} if self.longterm is None else self.longterm.flat()
        return {**self.service, _MODULE_PATH: self.module_path, **self.provider.options, **longterm}


def parse_settings(config: object) -> ServiceSettings:
    """The settings of a configuration: a dict, nested as the documentation shows.

    Raises:
        ConfigError: a key is invalid; the error names it.
        MissingExtra: the provider needs a package that is not installed.
    """
    try:
        return _parse(_flat(validators.mapping("the configuration", config)))
    except RecursionError as error:
        raise ConfigError("the configuration contains itself, or is nested too deep") from error


def _parse(raw_config: dict[str, Any]) -> ServiceSettings:
    longterm_section = raw_config.pop(longterm_settings.CONFIG_KEY, None)
    config = {key: expand(value, key) for key, value in raw_config.items()}
    module_path = providers.module_path(config.pop(_MODULE_PATH, None))
    service_options = {
        key: check(key, config.pop(key, default)) for key, (check, default) in SERVICE_KEYS.items()
    }
    is_enabled = service_options[longterm_settings.ENABLED_KEY]
    longterm = longterm_settings.parse(is_enabled, longterm_section)
    provider = providers.choose(service_options["type"], module_path, config, dict.fromkeys(_KEYS))
    return ServiceSettings(provider, service_options, module_path, longterm)


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """All keys at one level: they may be inside `history_policy` or beside it."""
    flat_config = {key: value for key, value in config.items() if key != NESTED_KEY}
    for config_key, config_value in _inner(config).items():
        if config_key in flat_config and not _same(flat_config[config_key], config_value):
            raise ConfigError(
                f"{config_key} is given twice with different values, in {NESTED_KEY} and beside it"
            )
        flat_config[config_key] = config_value
    return flat_config


def _inner(config: Mapping[str, Any]) -> dict[str, Any]:
    nested_config = validators.mapping(NESTED_KEY, config.get(NESTED_KEY))
    return _flat(nested_config) if nested_config else nested_config


def _same(first: object, second: object) -> bool:
    try:
        return first is second or (type(first) is type(second) and bool(first == second))
    except Exception:  # a foreign object's == may raise
        return False
