"""The table of options: one row for each option of each kind of store."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from threadkeep.config.option_spec import OptionSpec, of_store
from threadkeep.core.option_types import (
    FLAG,
    PATH,
    POOL_SIZE,
    PORT,
    RETENTION_DAYS,
    SECONDS,
    SECRET,
    TEXT,
    UNCHECKED,
    choice,
    integer,
)

_SSLMODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_option = OptionSpec
_address = partial(OptionSpec, part="address")
_login = partial(OptionSpec, part="login")


def _url(form: str, long: str = "") -> OptionSpec:
    return _address("url", SECRET, f"`{form}`", in_url=False, long=long)


def _client(name: str, classes: str) -> OptionSpec:
    help_text = f"The application's own {classes}; never closed here."
    return _address(name, UNCHECKED, help_text, text=False)


def _user(name: str = "user", **names: Any) -> OptionSpec:
    return _login(name, TEXT, "Whom to log in as.", **names)


def _password(**names: Any) -> OptionSpec:
    help_text = "Better in the environment; in Python also a callable."
    return _login("password", SECRET, help_text, **names)


_CONNECT_TIMEOUT: Final = _option("connect_timeout", SECONDS, "Seconds for an attempt.")
_POOL: Final = _option("pool_max_size", POOL_SIZE, "Connections.", "16", sets="pool_size")
_ADDRESS: Final = (
    _address("host", TEXT, "The server, also as `host:port`."),
    _address("port", UNCHECKED, "Its port."),  # of several hosts of PostgreSQL several
    _address("database", TEXT, "The name of the database; Oracle: of the service."),
)
_TABLE: Final = _option(
    "table_name", UNCHECKED, "The table of records; others are named after it.", "threadkeep"
)
SERVICE_TABLE: Final = "session_history"
"""The default of the history service's page, for `type: sql`."""
_TLS: Final = (
    _option("sslmode", choice(*_SSLMODES), "TLS.", "prefer"),
    _option("sslrootcert", PATH, "The CA; with `verify-ca` or `verify-full`."),
    _option("sslcert", PATH, "The client's certificate."),
    _option("sslkey", PATH, "The client's key."),
)
_DATABASE: Final = (
    *(*_ADDRESS, _user(), _password(), _TABLE),
    *(_CONNECT_TIMEOUT, *_TLS, _POOL),
)

MEMORY: Final = of_store(
    "memory", _option("max_sessions", integer(1), "Sessions kept, by latest use.", "10000")
)
FILE: Final = of_store(
    "file",
    _address("path", PATH, "The folder."),
    _option("fsync", FLAG, "Whether commits survive a power cut.", "true"),
)
SQLITE: Final = of_store(
    "sqlite",
    _address("path", PATH, "The file, or `:memory:`."),
    _option("synchronous", choice("NORMAL", "FULL"), "`FULL` survives a power cut.", "NORMAL"),
)
POSTGRES: Final = of_store(
    "postgres",
    _url("postgres://[user[:password]@][host][:port][/database][?param=value]", "postgres_db_url"),
    *_DATABASE,
    _option("application_name", TEXT, "As the server shows it."),
    _option("prepare_threshold", integer(0), "Executions before a statement is prepared."),
)
MYSQL: Final = of_store("mysql", _url("mysql://[user[:password]@]host[:port]/database"), *_DATABASE)
_DB_TYPES: Final = ("postgres", "postgresql", "mysql", "mariadb", "oracle", "sqlite")
SQL: Final = of_store(
    "sql",
    _option("db_type", choice(*_DB_TYPES), "The kind of database."),
    *(option for option in _DATABASE if option is not _TABLE),
    replace(_TABLE, default=SERVICE_TABLE),
    _client("engine", "SQLAlchemy `Engine`"),
)
_ORACLE: Final = (
    _address("wallet_path", PATH, "The wallet's folder, with `tnsnames.ora` and `ewallet.pem`."),
    _login("wallet_password", TEXT, "Of `ewallet.pem`; better in the environment."),
    _address("tns_alias", TEXT, "An alias of its `tnsnames.ora`."),
    _address("dsn", TEXT, "`host:port/service`; takes precedence over wallet and alias."),
    _user(),
    _password(),
    _login("external_auth", FLAG, "As the user of the operating system; needs `thick`.", "false"),
    _option("pool_min", integer(1), "Not above `pool_max`.", "1"),
    _option("pool_max", POOL_SIZE, "Connections.", "16", sets="pool_size"),
    _option("pool_timeout_secs", SECONDS, "For a whole call.", "30", sets="timeout"),
)
ORACLE: Final = of_store(
    "oracle",
    _url("oracle://user:password@host[:port]/service"),
    *(replace(option, variable=f"ATP_{option.name.upper()}") for option in _ORACLE),
    _option("thick", FLAG, "Use Oracle's client libraries (thick mode).", "false"),
    _option("client_lib_dir", PATH, "The folder of these libraries."),
    *(*_ADDRESS, _TABLE, _CONNECT_TIMEOUT),
)
REDIS: Final = of_store(
    "redis",
    _url("redis://[:password@]host[:port][/db], or rediss://"),
    _address("host", TEXT, "The server.", "localhost"),
    _address("port", PORT, "Its port.", "6379"),
    _option("db", integer(0), "The number of the database.", "0"),
    _user("username"),
    _password(),
    _option("tls", FLAG, "TLS, as by `rediss://`.", "false"),
    _option("cluster", FLAG, "A Redis Cluster.", "false"),
    _option("ssl_ca_certs", PATH, "The CA."),
    _option("ssl_certfile", PATH, "The client's certificate."),
    _option("ssl_keyfile", PATH, "The client's key."),
    _option(
        "ssl_cert_reqs",
        choice("required", "optional", "none"),
        "Whether the server's certificate is checked.",
        "required",
    ),
    _option("ssl_check_hostname", FLAG, "Whether its name is checked.", "true"),
    _POOL,
    _option(
        "retention_days",
        RETENTION_DAYS,
        "Days a session lives after its last write; -1 = for ever.",
        "30",
        sets="ttl",
    ),
    _option("prefix", TEXT, "Of every key.", "tk"),
    _CONNECT_TIMEOUT,
    _client("client", "`redis.Redis` or `redis.RedisCluster`"),
)
MONGODB: Final = of_store(
    "mongodb",
    _url("mongodb://[user:password@]host[:port][/database]", "mongodb_uri"),
    _option("database", TEXT, "The name of the database.", "history_db", long="mongodb_db"),
    _option("collection", TEXT, "Of all streams.", "sessions"),
    _user("username"),
    _password(),
    _POOL,
    _CONNECT_TIMEOUT,
    _client("client", "`pymongo.MongoClient`"),
)
