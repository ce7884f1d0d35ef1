"""How long records of a store live, as `ThreadkeepStore(ttl=)` says."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph.store.base import TTLConfig

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown


def checked_ttl(ttl: TTLConfig | None) -> TTLConfig | None:
    """The same.

    Raises:
        ConfigError: it is not a dict of the keys of `TTLConfig`, or a value is not valid.
    """
    if ttl is None:
        return None
    if not isinstance(ttl, Mapping):
        raise ConfigError(
            f"ttl must be a dict such as {{'default_ttl': 60}}, in minutes, got {shown(ttl)}"
        )
    for key in ttl:
        if key not in TTLConfig.__annotations__:
            raise ConfigError(
                f"ttl has no key {shown(key)}{did_you_mean(key, TTLConfig.__annotations__)}"
            )
    minutes = ttl.get("default_ttl")
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, int | float)):
        raise ConfigError(f"ttl.default_ttl must be a number of minutes, got {shown(minutes)}")
    return ttl
