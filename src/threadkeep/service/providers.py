"""History providers: the keys of the built-in ones, and opening a provider's store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from threadkeep.api.memory import Memory
from threadkeep.config import plugins
from threadkeep.config.settings import settings
from threadkeep.connect import connect
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.service import validators
from threadkeep.service.validators import Validator


class ProviderKeys(NamedTuple):
    """The keys of a built-in provider; `alternative` makes the required ones optional."""

    required: Mapping[str, Validator] = {}
    optional: Mapping[str, Validator] = {}
    alternative: str | None = None


BUILT_IN: Final[Mapping[str, ProviderKeys]] = {
    "memory": ProviderKeys(optional={"max_sessions": validators.positive_int}),
    "none": ProviderKeys(),
    "file": ProviderKeys({"path": validators.path}, {"fsync": validators.flag}),
    "sqlite": ProviderKeys(
        {"path": validators.path},
        {
            "synchronous": validators.text,
            "pool_size": validators.positive_int,
            "timeout": validators.positive_seconds,
        },
    ),
    "redis": ProviderKeys(
        {
            "redis_host": validators.text,
            "redis_port": validators.positive_int,
            "redis_db": validators.non_negative_int,
        },
        {
            "redis_url": validators.secret,
            "redis_username": validators.text,
            "redis_password": validators.secret,
            "redis_tls": validators.flag,
            "redis_cluster": validators.flag,
            "redis_ssl_ca_certs": validators.text,
            "redis_ssl_certfile": validators.text,
            "redis_ssl_keyfile": validators.text,
            "redis_ssl_cert_reqs": validators.text,
            "redis_ssl_check_hostname": validators.flag,
            "redis_prefix": validators.text,
            "pool_size": validators.positive_int,
            "timeout": validators.positive_seconds,
        },
        alternative="redis_url",
    ),
    "mongodb": ProviderKeys(
        {"mongodb_uri": validators.secret},
        {
            "mongodb_db": validators.text,
            "mongodb_collection": validators.text,
            "mongodb_username": validators.text,
            "mongodb_password": validators.secret,
            "pool_size": validators.positive_int,
            "timeout": validators.positive_seconds,
        },
    ),
    "sql": ProviderKeys(
        {
            "db_type": validators.one_of("postgres", "mysql", "sqlite", "oracle"),
            "sql_database": validators.text,
        },
        {
            "sql_host": validators.text,
            "sql_user": validators.text,
            "sql_password": validators.secret,
            "table_name": validators.text,
            "sslmode": validators.text,
            "sslrootcert": validators.text,
            "pool_size": validators.positive_int,
            "timeout": validators.positive_seconds,
        },
    ),
}


class ProviderConfig(NamedTuple):
    """The selected provider: its type, its keys, and its factory (`None` = `connect`)."""

    kind: str
    options: Mapping[str, Any]
    maker: plugins.BackendFactory | None = None

    def open(self, **options: Any) -> Memory:
        """Open the store; its Memory closes it."""
        if self.maker is None:
            return connect({"type": self.kind, **self.options}, **options)
        backend = plugins.build(self.maker, self.options)
        return Memory(backend, settings(options), owned=True, label=self.kind)


def choose(
    kind: str, module_path: str | None, options: Mapping[str, Any], service_keys: Mapping[str, Any]
) -> ProviderConfig:
    """Select the provider of a type and validate its keys.

    Args:
        kind: the provider type.
        module_path: the module of a custom provider.
        options: the keys that are not those of the service itself.
        service_keys: the keys of the service, for suggestions.

    Raises:
        ConfigError: there is no such provider, or a key is missing, unknown or wrong.
    """
    if kind in BUILT_IN:
        if module_path is not None:
            raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
        return _built_in(kind, options, service_keys)
    if not plugins.is_plugin(kind, module_path):
        suggestion = did_you_mean(kind, [*BUILT_IN, *plugins.installed_plugins(), "custom"])
        raise ConfigError(f"type: there is no provider {_printable(kind)!r}{suggestion}")
    return ProviderConfig(kind, dict(options), plugins.find_factory(kind, module_path))


def module_path(value: object) -> str | None:
    """The module of a custom provider, or None; templates use `.` for none."""
    return None if value in (None, "", ".") else validators.text("module_path", value)


def _built_in(
    kind: str, values: Mapping[str, Any], service_keys: Mapping[str, Any]
) -> ProviderConfig:
    keys = BUILT_IN[kind]
    checks = {**keys.required, **keys.optional}
    for name in values:
        if name not in checks:
            raise ConfigError(
                f"the provider {kind!r} has no key {name!r}"
                f"{did_you_mean(name, [*checks, *service_keys])}"
            )
    for name in keys.required:
        if name not in values and keys.alternative not in values:
            raise ConfigError(f"{name} is missing: the provider {kind!r} needs it")
    options = {name: checks[name](name, value) for name, value in values.items()}
    return (
        _sqlite_provider(options)
        if options.get("db_type") == "sqlite"
        else ProviderConfig(kind, options)
    )


def _sqlite_provider(options: dict[str, Any]) -> ProviderConfig:
    """The provider `sql` with an SQLite file, which has its own backend."""
    file_options = {name: value for name, value in options.items() if name != "db_type"}
    path = file_options.pop("sql_database")
    for name in file_options.keys() - {"pool_size", "timeout"}:
        raise ConfigError(f"{name}: a db_type of sqlite takes sql_database, the path of its file")
    return ProviderConfig("sqlite", {"path": path, **file_options})


def _printable(kind: str) -> str:
    """A type as an error may quote it: never a URL, which may hold a password."""
    return kind if len(kind) <= 64 and kind.replace("_", "").replace("-", "").isalnum() else "?"
