"""What belongs together among the options of an Oracle store."""

from __future__ import annotations

import warnings
from typing import Any, Final

from threadkeep.errors import ConfigError

_DSN_AND_ALIAS: Final = "a dsn and a wallet with tns_alias are given: the dsn is used"
_NO_LOGIN: Final = (
    "oracle needs user and password (ATP_USER and ATP_PASSWORD in the environment), "
    "or external_auth for the user of the operating system"
)


def resolve(options: dict[str, Any]) -> dict[str, Any]:
    """The options without `pool_min`, which only limits `pool_max`.

    Raises:
        ConfigError: the pool's limits contradict each other, or nobody is to log in.
    """
    remaining = dict(options)
    minimum = remaining.pop("pool_min", 1)
    if remaining["pool_size"] < minimum:
        raise ConfigError(
            f"pool_max must be a whole number of at least pool_min, which is {minimum}, "
            f"got {remaining['pool_size']}"
        )
    if remaining.get("external_auth"):
        remaining.pop("user", None)
        remaining.pop("password", None)
    elif "url" not in remaining and not {"user", "password"} <= remaining.keys():
        raise ConfigError(_NO_LOGIN)
    if "dsn" in remaining and "tns_alias" in remaining:
        warnings.warn(_DSN_AND_ALIAS, stacklevel=2)
    return remaining
