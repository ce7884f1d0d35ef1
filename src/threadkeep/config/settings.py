"""What `connect` may be told besides where the store is: one set of validated settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from threadkeep.errors import ConfigError
from threadkeep.policies import as_policies
from threadkeep.protocols import Policy
from threadkeep.suggest import nearest

SUMMARY_TTL: Final = 432_000.0
"""Five days."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a Memory behaves, whatever it is stored in.

    Attributes:
        namespace: sets apart applications or tenants that share a store.
        require_user: refuse sessions and listings without a user.
        window: the policies of `chat.window()` when it is told none.
        retain: policies of what stays stored; what is older than all they keep is deleted at the
            next write. None = everything stays.
        ttl: seconds a session lives after its last write; `None` = for ever.
        clock: epoch seconds, for expiry and dates.
        pool_size: connections to the store, and threads for async callers, at most.
        timeout: seconds to wait for the store or a free connection.
        key: encrypts what is stored: see `threadkeep.backends.encrypted.EncryptedBackend`.
        observe: spans and metrics of the store by OpenTelemetry.
        longterm: another store for what is learned of users: whatever `connect` takes, or a Memory.
        llm: turns learning on: `{"model", "api_key", "base_url", ...}`, or a callable that takes
            messages of OpenAI Chat and returns a text; see `threadkeep.longterm`.
        embedder: a callable from texts to vectors, for recall by meaning; seldom needed.
        redactor: a callable of a text and what it is of (`item`, `session`, `file`, `response`,
            `feedback`, `fact`, `instruction`, `summary`), which returns what may be stored of it
            and shown to a model; `None` = nothing.
        summary_ttl: seconds a summary lives after it was last asked for; `None` = for ever.
    """

    namespace: str = "default"
    require_user: bool = False
    window: tuple[Policy, ...] = ()
    retain: tuple[Policy, ...] = ()
    ttl: float | None = None
    clock: Callable[[], float] = time.time
    pool_size: int = 16
    timeout: float = 30.0
    key: str | bytes | Sequence[str | bytes] | None = field(default=None, repr=False)
    observe: bool = False
    longterm: object = field(default=None, repr=False)
    llm: Mapping[str, Any] | Callable[..., Any] | None = field(default=None, repr=False)
    embedder: Callable[[list[str]], Sequence[Sequence[float]]] | None = None
    redactor: Callable[[str, str], str | None] | None = None
    summary_ttl: float | None = SUMMARY_TTL


NAMES = tuple(one.name for one in fields(Settings))


def settings(options: Mapping[str, Any]) -> Settings:
    """The settings of the options given; `None` leaves a default.

    Raises:
        ConfigError: an option is unknown, of the wrong type or out of range; it is named.
    """
    for name in options:
        if name not in NAMES:
            raise ConfigError(f"no option {name!r}{nearest(name, NAMES)}")
    given = {name: value for name, value in options.items() if value is not None}
    for name in ("window", "retain"):
        if name in given:
            given[name] = tuple(as_policies(given[name], name))
    for name, check in _CHECKS.items():
        if name in given and not check(given[name]):
            said = "" if name in _HIDDEN else f", got {given[name]!r}"
            raise ConfigError(f"{name} must be {_WANTED[name]}{said}")
    for name in ("ttl", "summary_ttl"):
        if given.get(name) == 0:
            given[name] = None
    return Settings(**given)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_HIDDEN: Final = frozenset({"llm"})  # may hold a secret

_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "namespace": lambda value: isinstance(value, str) and 0 < len(value) <= 64,
    "require_user": lambda value: isinstance(value, bool),
    "observe": lambda value: isinstance(value, bool),
    "ttl": lambda value: _number(value) and value >= 0,
    "clock": callable,
    "pool_size": lambda value: type(value) is int and value >= 1,
    "timeout": lambda value: _number(value) and value > 0,
    "llm": lambda value: callable(value) or isinstance(value, Mapping),
    "embedder": callable,
    "redactor": callable,
    "summary_ttl": lambda value: _number(value) and value >= 0,
}
_WANTED = {
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
