"""A configuration of the history service, validated: where its keys may stand, what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from threadkeep.errors import ConfigError
from threadkeep.service import longterm_settings, providers, validators
from threadkeep.service.env import expand
from threadkeep.service.history_policy import HistoryPolicy
from threadkeep.service.longterm_settings import LongTerm
from threadkeep.service.providers import Provider
from threadkeep.service.validators import Check

NEST: Final = "history_policy"
_MODULE: Final = "module_path"

OURS: Final[Mapping[str, tuple[Check, Any]]] = {
    "type": (validators.text, "memory"),
    "time_to_live": (validators.seconds, 3_600.0),
    "expiration_check_interval": (validators.seconds, 300.0),
    "max_characters": (validators.characters, 50_000),
    "max_turns": (validators.turns, 40),
    "enforce_alternate_message_roles": (validators.flag, True),
    "retention": (validators.one_of("policy", "all"), "policy"),
    longterm_settings.ON: (validators.flag, False),
}
"""The keys of the service itself: what they must be, and what they are unless given."""

_KEYS: Final = (*OURS, NEST, _MODULE, longterm_settings.CONFIG)


class Settings(NamedTuple):
    """What a configuration says.

    Attributes:
        provider: where histories are stored.
        ours: every key of `OURS`, with its value.
        module_path: where a provider of one's own is.
        longterm: what is remembered of users, and how; `None` = nothing.
    """

    provider: Provider
    ours: Mapping[str, Any]
    module_path: str | None
    longterm: LongTerm | None

    @property
    def policy(self) -> HistoryPolicy:
        """How much of a history is read."""
        names = ("max_characters", "max_turns", "enforce_alternate_message_roles")
        return HistoryPolicy(*(self.ours[name] for name in names))

    @property
    def retain(self) -> HistoryPolicy | None:
        """How much of a history stays stored; `None` = everything."""
        keeps_all = self.ours["retention"] == "all" or self.policy.unlimited
        return None if keeps_all else self.policy

    def differs(self, other: Settings) -> str | None:
        """A key that has another value there, or `None`."""
        mine, theirs = self._flat(), other._flat()
        missing = object()
        for key in {**mine, **theirs}:
            if not _same(mine.get(key, missing), theirs.get(key, missing)):
                return key
        return None

    def _flat(self) -> dict[str, Any]:
        users = {} if self.longterm is None else self.longterm.flat()
        return {**self.ours, _MODULE: self.module_path, **self.provider.options, **users}


def read(config: object) -> Settings:
    """The settings of a configuration: a dict, nested as the documentation shows.

    Raises:
        ConfigError: it makes no sense; the key is named.
        MissingExtra: the provider needs a package that is not installed.
    """
    try:
        return _read(_flat(validators.mapping("the configuration", config)))
    except RecursionError as error:
        raise ConfigError("the configuration contains itself, or is nested too deep") from error


def _read(given: dict[str, Any]) -> Settings:
    users = given.pop(longterm_settings.CONFIG, None)
    given = {key: expand(value, key) for key, value in given.items()}
    module_path = providers.module_path(given.pop(_MODULE, None))
    ours = {key: check(key, given.pop(key, default)) for key, (check, default) in OURS.items()}
    remembered = longterm_settings.read(ours[longterm_settings.ON], users)
    provider = providers.choose(ours["type"], module_path, given, dict.fromkeys(_KEYS))
    return Settings(provider, ours, module_path, remembered)


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """All keys at one level: they may stand inside of `history_policy` or beside it."""
    flat = {key: value for key, value in config.items() if key != NEST}
    for key, value in _inner(config).items():
        if key in flat and not _same(flat[key], value):
            raise ConfigError(
                f"{key} is given twice with different values, in {NEST} and beside it"
            )
        flat[key] = value
    return flat


def _inner(config: Mapping[str, Any]) -> dict[str, Any]:
    inner = validators.mapping(NEST, config.get(NEST))
    return _flat(inner) if inner else inner


def _same(one: object, other: object) -> bool:
    try:
        return one is other or (type(one) is type(other) and bool(one == other))
    except Exception:  # the == of a stranger's object
        return False
