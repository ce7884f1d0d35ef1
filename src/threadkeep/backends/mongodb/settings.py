"""Opens a `MongoBackend` from settings: `type: mongodb`, URLs, the history service's keys."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.backends.mongodb.backend import MongoBackend
from threadkeep.errors import ConfigError

_ALIASES: Final = {
    "mongodb_uri": "url",
    "mongodb_db": "database",
    "mongodb_collection": "collection",
    "mongodb_username": "username",
    "mongodb_password": "password",
}


def open_mongodb(url: str | None = None, **options: Any) -> MongoBackend:
    """Open the store; `mongodb_uri` is an alias of `url`, and so on.

    Raises:
        ConfigError: an option and its alias have different values.
    """
    arguments: dict[str, Any] = {} if url is None else {"url": url}
    for name, value in options.items():
        key = _ALIASES.get(name, name)
        if arguments.setdefault(key, value) != value:
            raise ConfigError(f"{name} contradicts {key}: give one of them")
    return MongoBackend(**arguments)
