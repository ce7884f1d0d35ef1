"""Which stores `connect` knows: a row of one table for each, and what their URLs mean."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.suggest import nearest

DEFAULT: Final = "sqlite:///threadkeep.db"

Read = Callable[[str], Any]
"""Makes a value of its text in a URL; a ValueError says that it cannot be one."""

IN_URLS: Final[Mapping[str, Read]] = {
    "namespace": str,
    "ttl": float,
    "pool_size": int,
    "timeout": float,
}
"""Settings of `connect` that may stand in the query of any URL."""


_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Url(NamedTuple):
    """`scheme:place?query`."""

    scheme: str
    place: str
    query: str

    def said(self) -> dict[str, Any]:
        """What the query says."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


def behind_slashes(url: Url) -> str:
    """What stands behind `scheme://`, before the query.

    Raises:
        ConfigError: there are no two slashes.
    """
    if not url.place.startswith("//"):
        raise ConfigError(f"{public(url.scheme)}: needs two slashes behind it, as in {DEFAULT!r}")
    return url.place[2:]


def nowhere(url: Url) -> dict[str, Any]:
    """Options of a store that has no place: those of the query."""
    if behind_slashes(url):
        raise ConfigError(f"{url.scheme}:// takes no host or path")
    return url.said()


def whole(url: Url, names: Collection[str] = IN_URLS) -> dict[str, Any]:
    """The URL as the option `url`, all but what `connect` itself takes from the query."""
    behind_slashes(url)
    pieces = url.query.split("&") if url.query else []
    ours = {name: value for name, value in url.said().items() if name in names}
    kept = "&".join(piece for piece in pieces if piece.partition("=")[0] not in names)
    return {**ours, "url": f"{url.scheme}:{url.place}{'?' if kept else ''}{kept}"}


def _redis(url: Url) -> dict[str, Any]:
    return whole(url, {*IN_URLS, "retention_days"})


def _mongodb(url: Url) -> dict[str, Any]:
    return whole(url, {*IN_URLS, "collection"})


def _sqlite(url: Url) -> dict[str, Any]:
    place = behind_slashes(url)
    if place in ("", "/", "/:memory:"):
        return with_place(":memory:", url)
    if not place.startswith("/"):
        raise ConfigError(
            "sqlite:// has no host: three slashes begin a relative path (sqlite:///chat.db), "
            "four an absolute one"
        )
    return with_place(place[1:], url)


def _file(url: Url) -> dict[str, Any]:
    place = unquote(url.place)
    if place.startswith("//"):
        place = place[2:]
        if not place.startswith("/"):
            raise ConfigError(
                "file:// has no host: file:chats is a folder here, file:///var/chats any other"
            )
    if os.name == "nt" and place[2:3] == ":":  # /C:/chats
        place = place[1:]
    return with_place(place, url)


def with_place(path: str, url: Url) -> dict[str, Any]:
    """The options of a query, and the path beside them.

    Raises:
        ConfigError: the query names another path.
    """
    said = url.said()
    if said.get("path", path) != path:
        raise ConfigError("path is given twice, and differently")
    return {**said, "path": path}


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise ValueError(text)
    return _FLAGS[text]


class Store(NamedTuple):
    """A kind of store.

    Attributes:
        module: where its class is; imported when one is opened.
        name: of the class.
        options: what the class takes, and how each is read from the text of a URL.
        shared: settings of `connect` that the class takes as well.
        required: options without which there is none.
        schemes: of its URLs; none = its name in the table.
        place: options from a URL.
        extra: the extra that brings its driver.
        clients: classes, as `package.Class`, of objects of the application's own that are such a
            store, with the option that takes one.
        retention_days: days a session lives after its last write where no `ttl` is said; `None` =
            for ever, as with any other store, and it cannot be said in days.
    """

    module: str
    name: str
    options: Mapping[str, Read]
    shared: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    place: Callable[[Url], dict[str, Any]] = nowhere
    extra: str | None = None
    clients: Mapping[str, str] = {}
    retention_days: int | None = None

    def life(self, found: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
        """The `ttl` that days of retention mean, or that goes without saying; takes them out.

        Raises:
            ConfigError: the days are neither positive nor -1 (for ever).
        """
        if self.retention_days is None or ("ttl" in said and "retention_days" not in found):
            return {}
        days = found.pop("retention_days", self.retention_days)
        number = isinstance(days, int | float) and not isinstance(days, bool)
        if not number or not math.isfinite(days) or (days <= 0 and days != -1):
            raise ConfigError(
                f"retention_days must be a number of days above 0, or -1 = for ever, got {days!r}"
            )
        return {"ttl": 0 if days == -1 else days * 86_400}

    def load(self) -> Callable[..., Any]:
        """The class.

        Raises:
            MissingExtra: its driver is not installed.
        """
        try:
            found: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        except MissingExtra:
            raise
        except ImportError as error:
            if self.extra is None:
                raise
            raise MissingExtra(
                f"{error.name or 'a package'} is not installed: "
                f'pip install "threadkeep[{self.extra}]"'
            ) from error
        return found


_DATABASE: Final[Mapping[str, Read]] = {
    **dict.fromkeys(("url", "host", "user", "password", "database", "table_name"), str),
    **dict.fromkeys(("sslmode", "sslrootcert", "sslcert", "sslkey"), str),
    "port": int,
    "connect_timeout": float,
}


def _database(name: str, schemes: tuple[str, ...], **options: Read) -> Store:
    return Store(
        "threadkeep.backends.sql",
        f"open_{name}",
        {**_DATABASE, **options},
        shared=("pool_size", "timeout"),
        schemes=schemes,
        place=whole,
        extra=name,
    )


_REDIS: Final[Mapping[str, Read]] = {
    **dict.fromkeys(("url", "host", "username", "password", "prefix"), str),
    **dict.fromkeys(("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"), str),
    **dict.fromkeys(("tls", "cluster", "ssl_check_hostname"), _flag),
    **dict.fromkeys(("port", "db"), int),
}

STORES: Final[Mapping[str, Store]] = {
    "memory": Store("threadkeep.backends.memory", "MemoryBackend", {"max_sessions": int}),
    "none": Store("threadkeep.backends.none", "NoneBackend", {}),
    "sqlite": Store(
        "threadkeep.backends.sqlite",
        "SqliteBackend",
        {"path": str, "synchronous": str},
        shared=("pool_size", "timeout"),
        required=("path",),
        place=_sqlite,
    ),
    "file": Store(
        "threadkeep.backends.file",
        "FileBackend",
        {"path": str, "fsync": _flag},
        shared=("timeout",),
        required=("path",),
        place=_file,
    ),
    "postgres": _database(
        "postgres",
        ("postgres", "postgresql", "postgresql+psycopg"),
        application_name=str,
        prepare_threshold=int,
    ),
    "mysql": _database("mysql", ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql")),
    "oracle": _database(
        "oracle",
        ("oracle", "oracle+oracledb"),
        **dict.fromkeys(("dsn", "wallet_path", "wallet_password", "tns_alias"), str),
        **dict.fromkeys(("pool_min", "pool_max"), int),
        external_auth=_flag,
        pool_timeout_secs=float,
    ),
    "sql": Store(
        "threadkeep.backends.sql",
        "open_sql",
        dict.fromkeys(
            (
                *("db_type", "sql_host", "sql_user", "sql_password", "sql_database"),
                *("engine", "table_name", "sslmode", "sslrootcert"),
            ),
            str,
        ),
        shared=("pool_size", "timeout"),
        clients={"sqlalchemy.Engine": "engine"},
    ),
    "redis": Store(
        "threadkeep.backends.redis",
        "open_redis",
        {
            **_REDIS,
            **{f"redis_{name}": read for name, read in _REDIS.items()},
            "client": str,
            "connect_timeout": float,
            "retention_days": float,
        },
        shared=("pool_size", "timeout"),
        schemes=("redis", "rediss", "valkey", "valkeys", "redis+cluster", "rediss+cluster"),
        place=_redis,
        extra="redis",
        clients={"redis.Redis": "client", "redis.RedisCluster": "client"},
        retention_days=30,
    ),
    "mongodb": Store(
        "threadkeep.backends.mongodb",
        "open_mongodb",
        {
            **dict.fromkeys(
                ("url", "client", "database", "collection", "username", "password"), str
            ),
            **dict.fromkeys(("mongodb_uri", "mongodb_db", "mongodb_collection"), str),
            **dict.fromkeys(("mongodb_username", "mongodb_password"), str),
            "connect_timeout": float,
        },
        shared=("pool_size", "timeout"),
        schemes=("mongodb", "mongodb+srv"),
        place=_mongodb,
        extra="mongodb",
        clients={"pymongo.MongoClient": "client"},
    ),
}


def wanted(read: Read) -> str:
    """What a value must be, in words."""
    return {int: "a whole number", float: "a number", _flag: "true or false"}.get(read, "a text")


def of_scheme(scheme: str) -> str | None:
    """The kind of store that URLs of a scheme lead to; `None` = none of this table."""
    for kind, store in STORES.items():
        if scheme in (store.schemes or (kind,)):
            return kind
    return None


def of_client(client: object) -> tuple[str, dict[str, Any]] | None:
    """The kind of store that an object of the application's own is, and its options."""
    classes = type(client).__mro__
    names = {f"{one.__module__.partition('.')[0]}.{one.__qualname__}" for one in classes}
    for kind, store in STORES.items():
        for name, option in store.clients.items():
            if name in names:
                return kind, {option: client}
    return None


def shown(kind: str, options: Mapping[str, Any]) -> str:
    """A store as people may see it: where it is, and no secret."""
    if "url" in options:
        return _without_secrets(str(options["url"]))
    return " ".join(str(part) for part in (kind, options.get("path", "")) if part)


def unknown(kind: object, others: tuple[str, ...] = ()) -> ConfigError:
    """The error about a kind of store that there is not."""
    schemes = {scheme for name, store in STORES.items() for scheme in (name, *store.schemes)}
    return ConfigError(f"no store of type {public(kind)!r}{nearest(kind, [*schemes, *others])}")


def public(kind: object) -> str:
    """A scheme as an error may show it: never what may hold a password."""
    text = str(kind)
    return text if text.replace("+", "").isalnum() and len(text) <= 32 else "?"


def _without_secrets(url: str) -> str:
    scheme, _, rest = url.partition("://")
    place = rest.partition("?")[0]
    before, _, host = place.rpartition("@")
    hidden = "@" in rest[len(place) :] or "/" in before  # perhaps a password that is not quoted
    return scheme if hidden else f"{scheme}://{host}"
