"""Validates the options of `connect` that do not depend on the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from threadkeep.core.settings import NAMES, Settings
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.policies import as_policies


def settings(options: Mapping[str, Any]) -> Settings:
    """Validate options; `None` selects the default.

    Raises:
        ConfigError: an option is unknown, of the wrong type or out of range; it is named.
    """
    for name in options:
        if name not in NAMES:
            raise ConfigError(f"no option {name!r}{did_you_mean(name, NAMES)}")
    values = {name: value for name, value in options.items() if value is not None}
    for name in ("window", "retain"):
        if name in values:
            values[name] = tuple(as_policies(values[name], name))
    for name, check in _CHECKS.items():
        if name in values and not check(values[name]):
            received = "" if name in _SECRET else f", got {values[name]!r}"
            raise ConfigError(f"{name} must be {_EXPECTED[name]}{received}")
    for name in ("ttl", "summary_ttl"):
        if values.get(name) == 0:
            values[name] = None
    return Settings(**values)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_SECRET: Final = frozenset({"llm"})  # may hold a secret

_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "namespace": lambda value: isinstance(value, str) and 0 < len(value) <= 64,
    "require_user": lambda value: isinstance(value, bool),
    "observe": lambda value: isinstance(value, bool),
    "ttl": lambda value: _is_number(value) and value >= 0,
    "clock": callable,
    "pool_size": lambda value: type(value) is int and value >= 1,
    "timeout": lambda value: _is_number(value) and value > 0,
    "llm": lambda value: callable(value) or isinstance(value, Mapping),
    "embedder": callable,
    "redactor": callable,
    "summary_ttl": lambda value: _is_number(value) and value >= 0,
}
_EXPECTED = {
    "namespace": "a str of 1 to 64 characters",
    "require_user": "True or False",
    "observe": "True or False",
    "ttl": "a number of seconds (0 or None = for ever)",
    "clock": "a callable that returns epoch seconds",
    "pool_size": "a whole number of at least 1",
    "timeout": "a number of seconds above 0",
    "llm": "a dict with a model, or a callable of messages that returns a text",
    "embedder": "a callable of a list of texts that returns a vector for each",
    "redactor": "a callable of a text and its kind that returns a text or None",
    "summary_ttl": "a number of seconds (0 = for ever)",
}
