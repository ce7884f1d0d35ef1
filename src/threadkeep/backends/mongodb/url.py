"""Which MongoDB to connect to: checked before any I/O, and without its secrets for people."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import pymongo

from threadkeep.errors import ConfigError

_DATABASE: Final = "history_db"
_COLLECTION: Final = "sessions"
_SCHEMES: Final = ("mongodb", "mongodb+srv")
_BAD: Final = frozenset('\0/\\. "$*<>:|?')

Password = str | Callable[[], str] | None


@dataclass(frozen=True, slots=True)
class Target:
    """A MongoDB. What is secret in it is in no repr.

    Attributes:
        where: for people: hosts, database and collection.
        place: names of the database and the collection.
    """

    where: str
    place: tuple[str, str]
    url: str | None = field(default=None, repr=False)
    client: Any = field(default=None, repr=False)
    username: str | None = None
    password: Password = field(default=None, repr=False)


def target(
    url: str | None,
    client: Any,
    login: tuple[str | None, Password],
    database: str | None,
    collection: str | None,
) -> Target:
    """The MongoDB that options name.

    Raises:
        ConfigError: they contradict each other, or are not understood.
    """
    username, password = login
    if password is not None and not isinstance(password, str) and not callable(password):
        raise ConfigError("password must be a str or a callable that returns one")
    if client is not None:
        if url is not None or username is not None or password is not None:
            raise ConfigError("url, username and password contradict client: it has its own")
        if not isinstance(client, pymongo.MongoClient):
            raise ConfigError(f"client must be a MongoClient, got a {type(client).__name__}")
        hosts, named = "the application's client", None
    else:
        hosts, named = _parts("mongodb://localhost" if url is None else url)
    if named and database and named != database:
        raise ConfigError("database is given twice, and differently: in the URL and beside it")
    place = (database or named or _DATABASE, collection or _COLLECTION)
    _names(*place)
    where = f"MongoDB at {hosts}, {place[0]}.{place[1]}"
    if client is None and url is None:
        url = "mongodb://localhost"
    return Target(where, place, url, client, username, password)


def _parts(url: object) -> tuple[str, str | None]:
    """The hosts and the database of a URL, which is not repeated in an error."""
    scheme, _, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    if scheme not in _SCHEMES or not rest:
        raise ConfigError(
            "the MongoDB URL cannot be read: mongodb://user:password@host:27017/database; "
            "percent-encode what is special in user and password"
        )
    place, _, path = rest.partition("?")[0].partition("/")
    if "@" in path:
        raise ConfigError("the MongoDB URL cannot be read: percent-encode `/` in user and password")
    return place.rpartition("@")[2], unquote(path) or None


def _names(database: str, collection: str) -> None:
    if not database or len(database.encode()) > 63 or _BAD & set(database):
        raise ConfigError(f"database: {database!r} cannot be the name of a MongoDB database")
    bad = not collection or "$" in collection or "\0" in collection or len(collection) > 120
    if bad or collection.startswith((".", "system.")) or collection.endswith("."):
        raise ConfigError(f"collection: {collection!r} cannot be the name of a collection")


def make(target: Target, pool_size: int, connect_timeout: float) -> Any:
    """A client; it connects at the first command.

    Raises:
        ConfigError: the driver does not take the URL.
    """
    if target.client is not None:
        return target.client
    said = target.password
    login: dict[str, Any] = {"username": target.username}
    login["password"] = said() if callable(said) else said
    milliseconds = int(connect_timeout * 1000)
    try:
        return pymongo.MongoClient(
            target.url,
            maxPoolSize=pool_size,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            appname="threadkeep",
            connect=False,
            **{name: value for name, value in login.items() if value is not None},
        )
    except Exception:  # of many kinds; files that the URL names are read here too
        raise ConfigError(
            f"{target.where}: the driver does not take this URL: "
            "look at its options, and percent-encode what is special in user and password"
        ) from None


def check(pool_size: object, timeout: object, connect_timeout: object) -> None:
    """The numbers.

    Raises:
        ConfigError: one is out of range.
    """
    if not isinstance(pool_size, int) or isinstance(pool_size, bool) or pool_size < 1:
        raise ConfigError(f"pool_size must be a whole number of at least 1, got {pool_size!r}")
    for name, value in (("timeout", timeout), ("connect_timeout", connect_timeout)):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0:  # type: ignore[arg-type,operator]
            raise ConfigError(f"{name} must be a number of seconds above 0, got {value!r}")
