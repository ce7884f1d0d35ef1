"""The table of stores: a row for each kind that `connect` knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.config.store_spec import Store
from threadkeep.config.urls import (
    IN_URLS,
    Read,
    Url,
    file,
    flag,
    sqlite,
    whole,
)

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
        place=_sql,
        extra=name,
    )


def _sql(url: Url) -> dict[str, Any]:
    return whole(url, {*IN_URLS, "table_name"})


def _redis(url: Url) -> dict[str, Any]:
    return whole(url, {*IN_URLS, "retention_days"})


def _mongodb(url: Url) -> dict[str, Any]:
    return whole(url, {*IN_URLS, "collection"})


_REDIS: Final[Mapping[str, Read]] = {
    **dict.fromkeys(("url", "host", "username", "password", "prefix"), str),
    **dict.fromkeys(("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"), str),
    **dict.fromkeys(("tls", "cluster", "ssl_check_hostname"), flag),
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
        place=sqlite,
    ),
    "file": Store(
        "threadkeep.backends.file",
        "FileBackend",
        {"path": str, "fsync": flag},
        shared=("timeout",),
        required=("path",),
        place=file,
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
        external_auth=flag,
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
