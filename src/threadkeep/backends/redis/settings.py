"""The spellings of configurations: `type: redis`, its URLs, and the history service's keys."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.backends.redis.backend import RedisBackend
from threadkeep.backends.redis.url import merged

_MARK: Final = "redis_"


def open_redis(url: str | None = None, **options: Any) -> RedisBackend:
    """`redis_host` means `host`, and so on; a client of the application's own has its own pool.

    Raises:
        ConfigError: an option is unknown, contradictory or out of range; it is named.
    """
    marked = {name: value for name, value in options.items() if name.startswith(_MARK)}
    plain = {name: value for name, value in options.items() if name not in marked}
    found = merged({name.removeprefix(_MARK): value for name, value in marked.items()}, plain)
    if url is not None:
        found = merged(found, {"url": url})
    return RedisBackend(**found)
