"""History providers: which keys each built-in one takes, and how a provider becomes a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from threadkeep.api.memory import Memory
from threadkeep.config import plugins
from threadkeep.config.settings import settings
from threadkeep.connect import connect
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.service import validators
from threadkeep.service.validators import Check


class Keys(NamedTuple):
    """The keys of a built-in provider; `instead` is one that makes the required ones optional."""

    required: Mapping[str, Check] = {}
    optional: Mapping[str, Check] = {}
    instead: str | None = None


BUILT_IN: Final[Mapping[str, Keys]] = {
    "memory": Keys(optional={"max_sessions": validators.whole}),
    "none": Keys(),
    "file": Keys({"path": validators.path}, {"fsync": validators.flag}),
    "sqlite": Keys(
        {"path": validators.path},
        {"synchronous": validators.text, "pool_size": validators.whole, "timeout": validators.wait},
    ),
    "redis": Keys(
        {
            "redis_host": validators.text,
            "redis_port": validators.whole,
            "redis_db": validators.count,
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
            "pool_size": validators.whole,
            "timeout": validators.wait,
        },
        instead="redis_url",
    ),
    "mongodb": Keys(
        {"mongodb_uri": validators.secret},
        {
            "mongodb_db": validators.text,
            "mongodb_collection": validators.text,
            "mongodb_username": validators.text,
            "mongodb_password": validators.secret,
            "pool_size": validators.whole,
            "timeout": validators.wait,
        },
    ),
    "sql": Keys(
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
            "pool_size": validators.whole,
            "timeout": validators.wait,
        },
    ),
}


class Provider(NamedTuple):
    """A provider that was chosen: its type, its keys, and what makes it (`None` = `connect`)."""

    kind: str
    options: Mapping[str, Any]
    maker: plugins.Maker | None = None

    def open(self, **options: Any) -> Memory:
        """The store, closed by its Memory."""
        if self.maker is None:
            return connect({"type": self.kind, **self.options}, **options)
        made = plugins.make(self.maker, self.options)
        return Memory(made, settings(options), owned=True, at=self.kind)


def choose(
    kind: str, module_path: str | None, given: Mapping[str, Any], ours: Mapping[str, Any]
) -> Provider:
    """The provider of that type with its keys checked.

    Args:
        kind: its type.
        module_path: where a provider of one's own is.
        given: every key that the history service has no use for itself.
        ours: the keys that it has; for suggestions.

    Raises:
        ConfigError: there is no such provider, or a key is missing, unknown or wrong.
    """
    if kind in BUILT_IN:
        if module_path is not None:
            raise ConfigError(f"module_path belongs to type: custom, not to type: {kind}")
        return _built_in(kind, given, ours)
    if not plugins.exists(kind, module_path):
        known = did_you_mean(kind, [*BUILT_IN, *plugins.installed(), "custom"])
        raise ConfigError(f"type: there is no provider {_public(kind)!r}{known}")
    return Provider(kind, dict(given), plugins.find(kind, module_path))


def module_path(value: object) -> str | None:
    """Where a provider of one's own is, if that is said; templates have `.` for nowhere."""
    return None if value in (None, "", ".") else validators.text("module_path", value)


def _built_in(kind: str, given: Mapping[str, Any], ours: Mapping[str, Any]) -> Provider:
    keys = BUILT_IN[kind]
    known = {**keys.required, **keys.optional}
    for name in given:
        if name not in known:
            raise ConfigError(
                f"the provider {kind!r} has no key {name!r}{did_you_mean(name, [*known, *ours])}"
            )
    for name in keys.required:
        if name not in given and keys.instead not in given:
            raise ConfigError(f"{name} is missing: the provider {kind!r} needs it")
    options = {name: known[name](name, value) for name, value in given.items()}
    return _sqlite(options) if options.get("db_type") == "sqlite" else Provider(kind, options)


def _sqlite(options: dict[str, Any]) -> Provider:
    """The provider `sql` of a file: it has a backend of its own."""
    left = {name: value for name, value in options.items() if name != "db_type"}
    path = left.pop("sql_database")
    for name in left.keys() - {"pool_size", "timeout"}:
        raise ConfigError(f"{name}: a db_type of sqlite takes sql_database, the path of its file")
    return Provider("sqlite", {"path": path, **left})


def _public(kind: str) -> str:
    """A type as an error may show it: never a URL, which may hold a password."""
    return kind if len(kind) <= 64 and kind.replace("_", "").replace("-", "").isalnum() else "?"
