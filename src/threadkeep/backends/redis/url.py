"""Parses URLs and options to a connection target, checked before any I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from threadkeep.core.option_types import FLAG, integer
from threadkeep.core.option_types import PORT as _PORT_NUMBER
from threadkeep.core.url_check import check_at_signs, check_values
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

Password = str | Callable[[], str] | None
Address = tuple[str, int]

PORT: Final = 6379
SCHEMES: Final[Mapping[str, tuple[bool, bool]]] = {  # TLS, cluster
    "redis": (False, False),
    "rediss": (True, False),
    "valkey": (False, False),
    "valkeys": (True, False),
    "redis+cluster": (False, True),
    "rediss+cluster": (True, True),
}
TLS: Final = (
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_cert_reqs",
    "ssl_check_hostname",
)
_DB: Final = integer(0)
_REQUIREMENTS: Final = ("required", "optional", "none")


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """A server or cluster to connect to. Its repr shows no secrets.

    Attributes:
        nodes: host and port; of a cluster any of its nodes; the others are discovered.
        db: number of the database; a cluster has only 0.
        password: the password, or a callable called for each new connection.
        tls: redis-py's TLS options; `None` = no TLS.
    """

    nodes: tuple[Address, ...] = (("localhost", PORT),)
    db: int = 0
    username: str | None = None
    password: Password = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = field(default=None, repr=False)
    cluster: bool = False

    def location(self) -> str:
        """The address for people to read, without user and password."""
        addresses = ",".join(f"{host}:{port}" for host, port in self.nodes)
        return (
            f"Redis Cluster at {addresses}" if self.cluster else f"Redis at {addresses}/{self.db}"
        )


def from_url(url: object) -> dict[str, Any]:
    """The options in `redis://user:password@host:port/db?option=value`.

    Raises:
        ConfigError: it is not such a URL; the message does not quote it.
    """
    try:
        url_parts = urlsplit(url if isinstance(url, str) else "")
        hosts = url_parts.netloc.rpartition("@")[2]
        nodes = tuple(_parse_address(host) for host in hosts.split(",")) if hosts else ()
        db = int(url_parts.path.strip("/")) if url_parts.path.strip("/") else None
        scheme = url_parts.scheme
    except ValueError:
        raise ConfigError(
            "the Redis URL cannot be read: redis://user:password@host:6379/0; "
            "percent-encode what is special in user and password"
        ) from None
    if scheme not in SCHEMES:
        raise ConfigError(f"no Redis has a URL of this scheme{did_you_mean(scheme, SCHEMES)}")
    check_at_signs(str(url), "the Redis URL")
    check_values(url_parts.query, "the Redis URL")
    tls, cluster = SCHEMES[scheme]
    username, password_separator, password = url_parts.netloc.rpartition("@")[0].partition(":")
    option_fields: dict[str, Any] = {
        "nodes": nodes or None,
        "db": db,
        "username": unquote(username) or None,
        "password": unquote(password) if password_separator else None,
        "tls": tls or None,
        "cluster": cluster or None,
    }
    given_options = {name: value for name, value in option_fields.items() if value is not None}
    return merge_options(given_options, dict(parse_qsl(url_parts.query, keep_blank_values=True)))


def _parse_address(text: str) -> Address:
    """Parse `host:port`; an IPv6 address stands in brackets."""
    host, _, port = text.partition(":")
    if text.startswith("["):
        host, _, suffix = text[1:].partition("]")
        port = suffix[1:]
    port_number = int(port) if port else PORT
    if not 0 < port_number < 65536:
        raise ValueError(port)
    return unquote(host) or "localhost", port_number


def merge_options(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Merge options from two sources.

    Raises:
        ConfigError: both have an option, with different values.
    """
    for option_name in base.keys() & extra.keys():
        if str(base[option_name]) != str(extra[option_name]):
            raise ConfigError(f"{option_name} is given twice, and differently")
    return {**base, **extra}


def parse_target(options: Mapping[str, Any]) -> RedisTarget:
    """The target described by options.

    Raises:
        ConfigError: one is unknown, contradictory or out of range; the message names it.
    """
    settings = {name: value for name, value in options.items() if value is not None}
    allowed_names = ("host", "port", "nodes", "db", "username", "password", "tls", "cluster", *TLS)
    for name in settings:
        if name not in allowed_names:
            raise ConfigError(
                f"redis has no option {shown(name)}{did_you_mean(name, allowed_names)}"
            )
    cluster, db = _parse_flag(settings, "cluster"), _DB.read("db", settings.get("db", 0))
    if cluster and db:
        raise ConfigError("db: a Redis Cluster has only database 0")
    nodes = _parse_nodes(settings)
    if len(nodes) > 1 and not cluster:
        raise ConfigError("several hosts are for a cluster: redis+cluster://one:6379,other:6379")
    username, password = settings.get("username"), settings.get("password")
    if password is not None and not isinstance(password, str) and not callable(password):
        raise ConfigError("password must be a str or a callable that returns one")
    return RedisTarget(nodes, db, username, password, _tls_options(settings), cluster)


def _parse_nodes(settings: Mapping[str, Any]) -> tuple[Address, ...]:
    if "nodes" in settings:
        if "host" in settings or "port" in settings:
            raise ConfigError("host and port are given twice: in the URL and beside it")
        return tuple(settings["nodes"])
    host, port = settings.get("host", "localhost"), settings.get("port", PORT)
    if not isinstance(host, str) or not host:
        raise ConfigError(f"host must be a name or an address, got {shown(host)}")
    return ((host, _PORT_NUMBER.read("port", port)),)


def _parse_flag(settings: Mapping[str, Any], name: str) -> bool:
    return bool(FLAG.read(name, settings.get(name, False)))


def _tls_options(settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    tls_options = {name: settings[name] for name in TLS if name in settings}
    is_tls_enabled = _parse_flag(settings, "tls")
    if not is_tls_enabled:
        if tls_options:
            raise ConfigError(f"{next(iter(tls_options))} needs TLS: rediss://, or tls=True")
        return None
    if tls_options.get("ssl_cert_reqs", "required") not in _REQUIREMENTS:
        raise ConfigError(f"ssl_cert_reqs must be one of {', '.join(_REQUIREMENTS)}")
    is_server_verified = tls_options.get("ssl_cert_reqs", "required") == "required"
    check_hostname = _parse_flag(
        {"ssl_check_hostname": is_server_verified, **tls_options}, "ssl_check_hostname"
    )
    return {"ssl_cert_reqs": "required", **tls_options, "ssl_check_hostname": check_hostname}
