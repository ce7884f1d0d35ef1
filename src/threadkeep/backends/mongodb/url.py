"""The MongoDB to connect to, checked before any I/O; errors do not show its secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import pymongo

from threadkeep.core.url_check import check_at_signs
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_DATABASE: Final = "history_db"
_COLLECTION: Final = "sessions"
_SCHEMES: Final = ("mongodb", "mongodb+srv")
_FORBIDDEN: Final = frozenset('\0/\\. "$*<>:|?')

_HOST: Final = re.compile(r"([^@:/?#\[\]\s]+|\[[0-9a-fA-F:.%\w]+\])(:[0-9]{1,5})?")

Password = str | Callable[[], str] | None


@dataclass(frozen=True, slots=True)
class MongoTarget:
    """A MongoDB to connect to; its secrets are in no repr.

    Attributes:
        location: hosts, database and collection, for errors.
        namespace: names of the database and the collection.
    """

    location: str
    namespace: tuple[str, str]
    url: str | None = field(default=None, repr=False)
    client: Any = field(default=None, repr=False)
    username: str | None = None
    password: Password = field(default=None, repr=False)


def build_target(
    url: str | None,
    client: Any,
    login: tuple[str | None, Password],
    database: str | None,
    collection: str | None,
) -> MongoTarget:
    """Build the target from options.

    Raises:
        ConfigError: they contradict each other, or one is wrong.
    """
    username, password = login
    if password is not None and not isinstance(password, str) and not callable(password):
        raise ConfigError("password must be a str or a callable that returns one")
    if client is not None:
        if url is not None or username is not None or password is not None:
            raise ConfigError("url, username and password contradict client: it has its own")
        if not isinstance(client, pymongo.MongoClient):
            raise ConfigError(f"client must be a MongoClient, got a {type(client).__name__}")
        hosts, url_database = "the application's client", None
    else:
        hosts, url_database = _parse_url("mongodb://localhost" if url is None else url)
    if url_database and database and url_database != database:
        raise ConfigError("database is given twice, and differently: in the URL and beside it")
    namespace = (database or url_database or _DATABASE, collection or _COLLECTION)
    _check_names(*namespace)
    location = f"MongoDB at {hosts}, {namespace[0]}.{namespace[1]}"
    if client is None and url is None:
        url = "mongodb://localhost"
    return MongoTarget(location, namespace, url, client, username, password)


def _parse_url(url: object) -> tuple[str, str | None]:
    """Returns hosts and database of a URL; errors do not repeat it."""
    scheme, _, locator = url.partition("://") if isinstance(url, str) else ("", "", "")
    if scheme not in _SCHEMES or not locator:
        raise ConfigError(
            "the MongoDB URL cannot be read: mongodb://user:password@host:27017/database; "
            "percent-encode what is special in user and password"
        )
    check_at_signs(f"{scheme}://{locator}", "the MongoDB URL")
    authority, _, database_path = locator.partition("?")[0].partition("/")
    hosts = authority.rpartition("@")[2]
    if not all(_HOST.fullmatch(host) for host in hosts.split(",")):
        raise ConfigError(
            "the MongoDB URL cannot be read: expected host:port behind user:password@, and ports "
            "are numbers"
        )
    return hosts, unquote(database_path) or None


def _check_names(database: str, collection: str) -> None:
    if not database or len(database.encode()) > 63 or _FORBIDDEN & set(database):
        raise ConfigError(f"database: {shown(database)} cannot be the name of a MongoDB database")
    is_collection_invalid = (
        not collection or "$" in collection or "\0" in collection or len(collection) > 120
    )
    if is_collection_invalid or collection.startswith((".", "system.")) or collection.endswith("."):
        raise ConfigError(f"collection: {shown(collection)} cannot be the name of a collection")


def make_client(target: MongoTarget, pool_size: int, connect_timeout: float) -> Any:
    """Create a client, which connects at the first command.

    Raises:
        ConfigError: the driver does not accept the URL.
    """
    if target.client is not None:
        return target.client
    password = target.password
    login_options: dict[str, Any] = {"username": target.username}
    login_options["password"] = password() if callable(password) else password
    milliseconds = int(connect_timeout * 1000)
    try:
        return pymongo.MongoClient(
            target.url,
            maxPoolSize=pool_size,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            appname="threadkeep",
            connect=False,
            **{name: value for name, value in login_options.items() if value is not None},
        )
    except Exception:  # many types; files that the URL names are read here too
        raise ConfigError(
            f"{target.location}: the driver does not take this URL: "
            "look at its options, and percent-encode what is special in user and password"
        ) from None
