"""Reads configurations: `type: redis`, its URLs, and the history service's keys."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.backends.redis.backend import RedisBackend
from threadkeep.backends.redis.url import merge_options

_PREFIX: Final = "redis_"


def open_redis(url: str | None = None, **options: Any) -> RedisBackend:
    """Open a backend; `redis_host` means `host`, and so on.

    Raises:
        ConfigError: an option is unknown, contradictory or out of range; the message names it.
    """
    prefixed = {name: value for name, value in options.items() if name.startswith(_PREFIX)}
    unprefixed = {name: value for name, value in options.items() if name not in prefixed}
    settings = merge_options(
        {name.removeprefix(_PREFIX): value for name, value in prefixed.items()}, unprefixed
    )
    if url is not None:
        settings = merge_options(settings, {"url": url})
    return RedisBackend(**settings)
