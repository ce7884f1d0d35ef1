"""The settings of an Oracle store, by options and by the environment variables of its wallets."""

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
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return known[text.lower()]


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
"""Environment variables, and the options they stand for where none is given."""

_BOTH: Final = "a dsn and a wallet with tns_alias are given: the dsn is used"


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
    """`type: oracle`: `dsn`, or `wallet_path` with `tns_alias`; what is not given may stand in
    the environment, where no URL and no host say where the database is.

    Raises:
        ConfigError: the pool's limits contradict each other, or an option is wrong.
    """
    given = {name: value for name, value in options.items() if value is not None}
    limits = {"pool_min": pool_min, "pool_max": pool_max, "pool_timeout_secs": pool_timeout_secs}
    given |= {name: value for name, value in limits.items() if value is not None}
    if url is None and "host" not in given:
        given = {**_environment(), **given}
    most = given.pop("pool_max", pool_size)
    _check_pool(given.pop("pool_min", 1), most)
    if given.get("external_auth"):
        given.pop("user", None)
        given.pop("password", None)
    if "dsn" in given and ("tns_alias" in given):
        warnings.warn(_BOTH, stacklevel=2)
        given.pop("tns_alias")
    timeout = given.pop("pool_timeout_secs", timeout)
    return SqlBackend(url, dialect="oracle", pool_size=most, timeout=timeout, **given)


def _environment() -> dict[str, Any]:
    found = {}
    for name, (option, read) in VARIABLES.items():
        if text := os.environ.get(name):
            try:
                found[option] = read(text)
            except (KeyError, ValueError):
                shown = "" if option == "password" else f", got {text!r}"
                raise ConfigError(f"{name} is not what {option} may be{shown}") from None
    return found


def _check_pool(least: object, most: object) -> None:
    if type(least) is not int or least < 1:
        raise ConfigError(f"pool_min must be a whole number of at least 1, got {least!r}")
    if type(most) is not int or most < least:
        raise ConfigError(f"pool_max must be a whole number of at least pool_min, got {most!r}")
