"""The table of stores: one row per kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.config import oracle, store_options
from threadkeep.config.option_spec import OptionSpec
from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.urls import file_location, no_location, sqlite_location
from threadkeep.core.option_types import PATH
from threadkeep.errors import ConfigError

_POOL: Final = ("pool_size", "timeout")
_SQL: Final = "threadkeep.backends.sql"
_LIBPQ: Final = frozenset(
    ("host", "port", "user", "password", "application_name", "connect_timeout")
) | {"sslmode", "sslrootcert", "sslcert", "sslkey"}
_MONGO: Final = frozenset((
    "authsource", "authmechanism", "authmechanismproperties", "replicaset", "tls", "ssl",
    "tlscafile", "tlsinsecure", "tlscertificatekeyfile", "tlsallowinvalidcertificates",
    "tlsallowinvalidhostnames", "directconnection", "readpreference", "readconcernlevel",
    "retrywrites", "retryreads", "w", "journal", "appname", "compressors", "maxpoolsize",
    "minpoolsize", "serverselectiontimeoutms", "connecttimeoutms", "sockettimeoutms",
))  # fmt: skip
_EXTRAS: Final = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "oracle": "oracle",
}


def _without_db_type(options: dict[str, Any]) -> dict[str, Any]:
    return {name: option_value for name, option_value in options.items() if name != "db_type"}


def _engine(options: dict[str, Any]) -> dict[str, Any]:
    """The Engine itself limits the number of connections."""
    if "engine" not in options:
        raise ConfigError("sql needs a db_type: postgres, mysql, oracle or sqlite")
    redundant_names = options.keys() - {"engine", "pool_size"}
    return {
        "url": options["engine"],
        **{option_name: options[option_name] for option_name in redundant_names},
    }


def _sql_variant(db_type: str, extra: str) -> StoreSpec:
    variant_options = tuple(option for option in store_options.SQL if option.name != "engine")
    return StoreSpec(
        _SQL,
        "SqlBackend",
        variant_options,
        arguments={"dialect": db_type, "table_name": store_options.SERVICE_TABLE},
        shared=_POOL,
        extra=extra,
        resolve=_without_db_type,
    )


_SQL_SQLITE: Final = StoreSpec(
    "threadkeep.backends.sqlite",
    "SqliteBackend",
    (
        *(option for option in store_options.SQL if option.name == "db_type"),
        OptionSpec(name="database", long="sql_database", type=PATH, help="The file.", sets="path"),
    ),
    shared=_POOL,
    required=("path",),
    resolve=_without_db_type,
)

STORES: Final[dict[str, StoreSpec]] = {
    "memory": StoreSpec(
        "threadkeep.backends.memory",
        "MemoryBackend",
        store_options.MEMORY,
        location=no_location,
    ),
    "none": StoreSpec("threadkeep.backends.none", "NoneBackend", location=no_location),
    "sqlite": StoreSpec(
        "threadkeep.backends.sqlite",
        "SqliteBackend",
        store_options.SQLITE,
        shared=_POOL,
        required=("path",),
        service_keys=("path",),
        location=sqlite_location,
    ),
    "file": StoreSpec(
        "threadkeep.backends.file",
        "FileBackend",
        store_options.FILE,
        shared=("timeout",),
        required=("path",),
        service_keys=("path",),
        location=file_location,
    ),
    "postgres": StoreSpec(
        _SQL,
        "SqlBackend",
        store_options.POSTGRES,
        arguments={"dialect": "postgresql"},
        shared=_POOL,
        schemes=("postgres", "postgresql", "postgresql+psycopg"),
        driver_parameters=_LIBPQ,
        extra="postgres",
    ),
    "mysql": StoreSpec(
        _SQL,
        "SqlBackend",
        store_options.MYSQL,
        arguments={"dialect": "mysql"},
        shared=_POOL,
        schemes=("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql"),
        extra="mysql",
    ),
    "oracle": StoreSpec(
        _SQL,
        "SqlBackend",
        store_options.ORACLE,
        arguments={"dialect": "oracle"},
        shared=_POOL,
        schemes=("oracle", "oracle+oracledb"),
        extra="oracle",
        resolve=oracle.resolve,
    ),
    "sql": StoreSpec(
        _SQL,
        "SqlBackend",
        store_options.SQL,
        shared=_POOL,
        service_keys=("db_type", "sql_database"),
        location=no_location,
        clients={"sqlalchemy.Engine": "engine"},
        resolve=_engine,
        variants={
            "sqlite": _SQL_SQLITE,
            **{name: _sql_variant(name, extra) for name, extra in _EXTRAS.items()},
        },
    ),
    "redis": StoreSpec(
        "threadkeep.backends.redis",
        "RedisBackend",
        store_options.REDIS,
        shared=_POOL,
        service_keys=("redis_host", "redis_port", "redis_db"),
        schemes=("redis", "rediss", "valkey", "valkeys", "redis+cluster", "rediss+cluster"),
        extra="redis",
        clients={"redis.Redis": "client", "redis.RedisCluster": "client"},
        default_ttl=30 * 86_400,
    ),
    "mongodb": StoreSpec(
        "threadkeep.backends.mongodb",
        "MongoBackend",
        store_options.MONGODB,
        shared=_POOL,
        service_keys=("mongodb_uri",),
        schemes=("mongodb", "mongodb+srv"),
        driver_parameters=_MONGO,
        extra="mongodb",
        clients={"pymongo.MongoClient": "client"},
    ),
}


def kind_of_scheme(scheme: str) -> str | None:
    """The kind of store of a URL scheme; `None` = unknown."""
    for store_kind, store_spec in STORES.items():
        if scheme in (store_spec.schemes or (store_kind,)):
            return store_kind
    return None


def kind_of_client(client: object) -> tuple[str, str] | None:
    """The kind of store of an application's client object, and the option that takes it."""
    client_classes = type(client).__mro__
    class_names = {
        f"{client_class.__module__.partition('.')[0]}.{client_class.__qualname__}"
        for client_class in client_classes
    }
    for store_kind, store_spec in STORES.items():
        for class_name, option_name in store_spec.clients.items():
            if class_name in class_names:
                return store_kind, option_name
    return None


def flag_owners() -> Mapping[str, tuple[str, OptionSpec]]:
    """Each flag of a store by its long name: the kind of store, and the option."""
    return {
        option.long: (store_kind, option)
        for store_kind, store_spec in STORES.items()
        for option in store_spec.options
        if option.flag
    }
