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
    driver_options = dict(options)
    pool_min = driver_options.pop("pool_min", 1)
    if driver_options["pool_size"] < pool_min:
        raise ConfigError(
            f"pool_max must be a whole number of at least pool_min, which is {pool_min}, "
            f"got {driver_options['pool_size']}"
        )
    if driver_options.get("external_auth"):
        driver_options.pop("user", None)
        driver_options.pop("password", None)
    elif "url" not in driver_options and not {"user", "password"} <= driver_options.keys():
        raise ConfigError(_NO_LOGIN)
    if "dsn" in driver_options and "tns_alias" in driver_options:
        warnings.warn(_DSN_AND_ALIAS, stacklevel=2)
    return driver_options
