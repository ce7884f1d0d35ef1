"""Which server to connect to, and how: out of a URL or single options, checked before any I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from threadkeep.errors import ConfigError, did_you_mean

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
_REQUIREMENTS: Final = ("required", "optional", "none")


@dataclass(frozen=True, slots=True)
class Target:
    """A server or cluster. What is secret in it is in no repr.

    Attributes:
        nodes: host and port; of a cluster any of its nodes, the others are found.
        db: number of the database; a cluster has only 0.
        password: the password, or what gives it, asked at each new connection.
        tls: what redis-py is told of TLS; `None` = no TLS.
    """

    nodes: tuple[Address, ...] = (("localhost", PORT),)
    db: int = 0
    username: str | None = None
    password: Password = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = field(default=None, repr=False)
    cluster: bool = False

    def described(self) -> str:
        """Where it is, for people: no user, no password."""
        places = ",".join(f"{host}:{port}" for host, port in self.nodes)
        return f"Redis Cluster at {places}" if self.cluster else f"Redis at {places}/{self.db}"


def from_url(url: object) -> dict[str, Any]:
    """The options that `redis://user:password@host:port/db?option=value` says.

    Raises:
        ConfigError: it is not such a URL; what it holds is not repeated.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        places = parts.netloc.rpartition("@")[2]
        nodes = tuple(_address(place) for place in places.split(",")) if places else ()
        db = int(parts.path.strip("/")) if parts.path.strip("/") else None
        scheme = parts.scheme
    except ValueError:
        raise ConfigError(
            "the Redis URL cannot be read: redis://user:password@host:6379/0; "
            "percent-encode what is special in user and password"
        ) from None
    if scheme not in SCHEMES:
        raise ConfigError(f"no Redis has a URL of this scheme{did_you_mean(scheme, SCHEMES)}")
    tls, cluster = SCHEMES[scheme]
    username, colon, password = parts.netloc.rpartition("@")[0].partition(":")
    said: dict[str, Any] = {
        "nodes": nodes or None,
        "db": db,
        "username": unquote(username) or None,
        "password": unquote(password) if colon else None,
        "tls": tls or None,
        "cluster": cluster or None,
    }
    found = {name: value for name, value in said.items() if value is not None}
    return merged(found, dict(parse_qsl(parts.query, keep_blank_values=True)))


def _address(text: str) -> Address:
    """Of `host:port`; an IPv6 address in brackets."""
    host, _, port = text.partition(":")
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest[1:]
    number = int(port) if port else PORT
    if not 0 < number < 65536:
        raise ValueError(port)
    return unquote(host) or "localhost", number


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Options from two places.

    Raises:
        ConfigError: one is given in both, and differently.
    """
    for name in first.keys() & second.keys():
        if str(first[name]) != str(second[name]):
            raise ConfigError(f"{name} is given twice, and differently")
    return {**first, **second}


def target(options: Mapping[str, Any]) -> Target:
    """The server that options name.

    Raises:
        ConfigError: one is unknown, contradictory or out of range; it is named.
    """
    said = {name: value for name, value in options.items() if value is not None}
    known = ("host", "port", "nodes", "db", "username", "password", "tls", "cluster", *TLS)
    for name in said:
        if name not in known:
            raise ConfigError(f"redis has no option {name!r}{did_you_mean(name, known)}")
    cluster, db = _flag(said, "cluster"), _db(said.get("db", 0))
    if cluster and db:
        raise ConfigError("db: a Redis Cluster has only database 0")
    nodes = _nodes(said)
    if len(nodes) > 1 and not cluster:
        raise ConfigError("several hosts are for a cluster: redis+cluster://one:6379,other:6379")
    username, password = said.get("username"), said.get("password")
    if password is not None and not isinstance(password, str) and not callable(password):
        raise ConfigError("password must be a str or a callable that returns one")
    return Target(nodes, db, username, password, _tls(said), cluster)


def _nodes(said: Mapping[str, Any]) -> tuple[Address, ...]:
    if "nodes" in said:
        if "host" in said or "port" in said:
            raise ConfigError("host and port are given twice: in the URL and beside it")
        return tuple(said["nodes"])
    host, port = said.get("host", "localhost"), said.get("port", PORT)
    if not isinstance(host, str) or not host:
        raise ConfigError(f"host must be a name or an address, got {host!r}")
    try:
        number = int(port)
    except (TypeError, ValueError):
        number = 0
    if not 0 < number < 65536:
        raise ConfigError(f"port must be a number from 1 to 65535, got {port!r}")
    return ((host, number),)


def _db(value: object) -> int:
    try:
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise ConfigError(f"db must be a number of 0 or more, got {value!r}")
    return int(number)


def _flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name, False)
    known = {"true": True, "1": True, "false": False, "0": False}
    found = known.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ConfigError(f"{name} must be true or false, got {value!r}")
    return found


def _tls(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = {name: said[name] for name in TLS if name in said}
    wanted = _flag(said, "tls")
    if not wanted:
        if found:
            raise ConfigError(f"{next(iter(found))} needs TLS: rediss://, or tls=True")
        return None
    if found.get("ssl_cert_reqs", "required") not in _REQUIREMENTS:
        raise ConfigError(f"ssl_cert_reqs must be one of {', '.join(_REQUIREMENTS)}")
    checked = found.get("ssl_cert_reqs", "required") == "required"
    names = _flag({"ssl_check_hostname": checked, **found}, "ssl_check_hostname")
    return {"ssl_cert_reqs": "required", **found, "ssl_check_hostname": names}
