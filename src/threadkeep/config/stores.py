"""The table of stores: one row per kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.urls import (
    URL_SETTINGS,
    OptionParser,
    Url,
    file_options,
    parse_flag,
    sqlite_options,
    url_option,
)

_DATABASE: Final[Mapping[str, OptionParser]] = {
    **dict.fromkeys(("url", "host", "user", "password", "database", "table_name"), str),
    **dict.fromkeys(("sslmode", "sslrootcert", "sslcert", "sslkey"), str),
    "port": int,
    "connect_timeout": float,
}


def _database_spec(name: str, schemes: tuple[str, ...], **options: OptionParser) -> StoreSpec:
    return StoreSpec(
        "threadkeep.backends.sql",
        f"open_{name}",
        {**_DATABASE, **options},
        shared=("pool_size", "timeout"),
        schemes=schemes,
        url_options=_sql,
        extra=name,
    )


def _sql(url: Url) -> dict[str, Any]:
    return url_option(url, {*URL_SETTINGS, "table_name"})


def _redis(url: Url) -> dict[str, Any]:
    return url_option(url, {*URL_SETTINGS, "retention_days"})


def _mongodb(url: Url) -> dict[str, Any]:
    return url_option(url, {*URL_SETTINGS, "collection"})


_REDIS: Final[Mapping[str, OptionParser]] = {
    **dict.fromkeys(("url", "host", "username", "password", "prefix"), str),
    **dict.fromkeys(("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"), str),
    **dict.fromkeys(("tls", "cluster", "ssl_check_hostname"), parse_flag),
    **dict.fromkeys(("port", "db"), int),
}

STORES: Final[Mapping[str, StoreSpec]] = {
    "memory": StoreSpec("threadkeep.backends.memory", "MemoryBackend", {"max_sessions": int}),
    "none": StoreSpec("threadkeep.backends.none", "NoneBackend", {}),
    "sqlite": StoreSpec(
        "threadkeep.backends.sqlite",
        "SqliteBackend",
        {"path": str, "synchronous": str},
        shared=("pool_size", "timeout"),
        required=("path",),
        url_options=sqlite_options,
    ),
    "file": StoreSpec(
        "threadkeep.backends.file",
        "FileBackend",
        {"path": str, "fsync": parse_flag},
        shared=("timeout",),
        required=("path",),
        url_options=file_options,
    ),
    "postgres": _database_spec(
        "postgres",
        ("postgres", "postgresql", "postgresql+psycopg"),
        application_name=str,
        prepare_threshold=int,
    ),
    "mysql": _database_spec("mysql", ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql")),
    "oracle": _database_spec(
        "oracle",
        ("oracle", "oracle+oracledb"),
        **dict.fromkeys(("dsn", "wallet_path", "wallet_password", "tns_alias"), str),
        **dict.fromkeys(("pool_min", "pool_max"), int),
        external_auth=parse_flag,
        pool_timeout_secs=float,
    ),
    "sql": StoreSpec(
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
    "redis": StoreSpec(
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
        url_options=_redis,
        extra="redis",
        clients={"redis.Redis": "client", "redis.RedisCluster": "client"},
        retention_days=30,
    ),
    "mongodb": StoreSpec(
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
        url_options=_mongodb,
        extra="mongodb",
        clients={"pymongo.MongoClient": "client"},
    ),
}
