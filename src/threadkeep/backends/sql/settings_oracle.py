"""The settings of an Oracle store, from options and from environment variables."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from threadkeep.backends.sql.backend import SqlBackend
from threadkeep.errors import ConfigError


class _Variable(NamedTuple):
    option: str
    read: Callable[[str], Any] = str


def _flag(text: str) -> bool:
    flags = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return flags[text.lower()]


VARIABLES: Final[Mapping[str, _Variable]] = {
    "ATP_WALLET_PATH": _Variable("wallet_path"),
    "ATP_TNS_ALIAS": _Variable("tns_alias"),
    "ATP_DSN": _Variable("dsn"),
    "ATP_USER": _Variable("user"),
    "ATP_PASSWORD": _Variable("password"),
    "ATP_EXTERNAL_AUTH": _Variable("external_auth", _flag),
    "ATP_POOL_MIN": _Variable("pool_min", int),
    "ATP_POOL_MAX": _Variable("pool_max", int),
    "ATP_POOL_TIMEOUT_SECS": _Variable("pool_timeout_secs", float),
}
"""Environment variables, and the options for which they provide defaults."""

_DSN_AND_ALIAS: Final = "a dsn and a wallet with tns_alias are given: the dsn is used"


def open_oracle(
    url: str | None = None,
    *,
    pool_min: int | None = None,
    pool_max: int | None = None,
    pool_timeout_secs: float | None = None,
    pool_size: int = 16,
    timeout: float = 30.0,
    **options: Any,
) -> SqlBackend:
    """Open `type: oracle`, by `dsn`, or `wallet_path` with `tns_alias`; environment variables
    provide defaults unless a URL or a host is passed.

    Raises:
        ConfigError: the pool's limits contradict each other, or an option is wrong.
    """
    settings = {name: value for name, value in options.items() if value is not None}
    limits = {"pool_min": pool_min, "pool_max": pool_max, "pool_timeout_secs": pool_timeout_secs}
    settings |= {name: value for name, value in limits.items() if value is not None}
    if url is None and "host" not in settings:
        settings = {**_environment(), **settings}
    size = settings.pop("pool_max", pool_size)
    _check_pool(settings.pop("pool_min", 1), size)
    if settings.get("external_auth"):
        settings.pop("user", None)
        settings.pop("password", None)
    if "dsn" in settings and ("tns_alias" in settings):
        warnings.warn(_DSN_AND_ALIAS, stacklevel=2)
        settings.pop("tns_alias")
    timeout = settings.pop("pool_timeout_secs", timeout)
    return SqlBackend(url, dialect="oracle", pool_size=size, timeout=timeout, **settings)


def _environment() -> dict[str, Any]:
    settings = {}
    for name, (option, read) in VARIABLES.items():
        if text := os.environ.get(name):
            try:
                settings[option] = read(text)
            except (KeyError, ValueError):
                detail = "" if option == "password" else f", got {text!r}"
                raise ConfigError(f"{name} is not what {option} may be{detail}") from None
    return settings


def _check_pool(minimum: object, maximum: object) -> None:
    if type(minimum) is not int or minimum < 1:
        raise ConfigError(f"pool_min must be a whole number of at least 1, got {minimum!r}")
    if type(maximum) is not int or maximum < minimum:
        raise ConfigError(f"pool_max must be a whole number of at least pool_min, got {maximum!r}")
