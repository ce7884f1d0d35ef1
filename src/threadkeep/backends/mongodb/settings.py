"""The spellings of configurations: `type: mongodb`, its URLs, and the history service's keys."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.backends.mongodb.backend import MongoBackend
from threadkeep.errors import ConfigError

_ALSO: Final = {
    "mongodb_uri": "url",
    "mongodb_db": "database",
    "mongodb_collection": "collection",
    "mongodb_username": "username",
    "mongodb_password": "password",
}


def open_mongodb(url: str | None = None, **given: Any) -> MongoBackend:
    """`mongodb_uri` means `url`, and so on.

    Raises:
        ConfigError: one thing is said twice, and differently.
    """
    found: dict[str, Any] = {} if url is None else {"url": url}
    for name, value in given.items():
        key = _ALSO.get(name, name)
        if found.setdefault(key, value) != value:
            raise ConfigError(f"{name} contradicts {key}: give one of them")
    return MongoBackend(**found)
