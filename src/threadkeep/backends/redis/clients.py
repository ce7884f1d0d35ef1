"""Creates redis-py clients for a target, and answers a few questions about any client."""

from __future__ import annotations

from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.credentials import CredentialProvider
from redis.retry import Retry

from threadkeep.backends.redis.connections import MAX_STALL, PlainConnection, TlsConnection
from threadkeep.backends.redis.url import RedisTarget
from threadkeep.errors import ConfigError

Client = Any
"""A `redis.Redis` or a `redis.RedisCluster`; redis-py has no type for what they share."""

_CLIENT_NAME: Final = "threadkeep"


def make_client(target: RedisTarget, connect_timeout: float) -> Client:
    """Create a client without retries and without a pool limit: `RetryingClient` has both.

    A cluster is asked for its nodes here; a single server is connected at the first command.
    """
    connection_options: dict[str, Any] = {
        "connection_class": PlainConnection if target.tls is None else TlsConnection,
        "socket_connect_timeout": connect_timeout,
        "socket_timeout": MAX_STALL,
        "socket_keepalive": True,
        "client_name": _CLIENT_NAME,
        "protocol": 2,
        "credential_provider": _Credentials(target) if _has_credentials(target) else None,
        **(target.tls or {}),
    }
    if target.cluster:
        return _cluster(target, connection_options)
    host, port = target.nodes[0]
    pool = redis.ConnectionPool(
        host=host, port=port, db=target.db, retry=Retry(NoBackoff(), 0), **connection_options
    )
    return redis.Redis(connection_pool=pool)


def _cluster(target: RedisTarget, options: dict[str, Any]) -> Client:
    """Create a cluster client; redis-py takes another connection class only with a URL."""
    (host, port), *other_nodes = target.nodes
    address = f"[{host}]" if ":" in host else host
    return RedisCluster(
        url=f"redis://{address}:{port}",
        startup_nodes=[ClusterNode(*other_node) for other_node in other_nodes],  # type: ignore[no-untyped-call]
        retry=Retry(NoBackoff(), 0),
        **options,
    )


def _has_credentials(target: RedisTarget) -> bool:
    return target.username is not None or target.password is not None


class _Credentials(CredentialProvider):
    """The login, read for each new connection, so that passwords may rotate."""

    def __init__(self, target: RedisTarget) -> None:
        self._username = target.username
        self._password = target.password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password_source = self._password
        password = (password_source() if callable(password_source) else password_source) or ""
        return (password,) if self._username is None else (self._username, password)


def check_client(client: object) -> Client:
    """Check that this is a redis-py client, and return it.

    Raises:
        ConfigError: it is an object of another type.
    """
    if isinstance(client, redis.Redis | RedisCluster):
        return client
    raise ConfigError(
        f"client must be a redis.Redis or a redis.RedisCluster, got a {type(client).__name__}"
        " (async clients are bound to one event loop, so their sync twins are used)"
    )


def location(client: Client) -> str:
    """The server an application's client connects to, for people to read."""
    if is_cluster(client):
        return "Redis Cluster of the application's client"
    settings = client.connection_pool.connection_kwargs
    host = settings.get("host")
    return f"Redis at {host}:{settings.get('port')}/{settings.get('db', 0)}" if host else "Redis"


def is_cluster(client: Client) -> bool:
    """Return True if this is the client of a cluster."""
    return isinstance(client, RedisCluster)


def time(client: Client) -> float | None:
    """The time of a server in epoch seconds; `None` if this user may not ask for it."""
    first_server = next(iter(primaries(client).values()))
    try:
        epoch_seconds, microseconds = first_server.time()
    except redis.exceptions.NoPermissionError:
        return None
    return float(epoch_seconds) + float(microseconds) / 1e6


def primaries(client: Client) -> dict[str, Client]:
    """Map the name of each server that holds streams to a client of it."""
    if not is_cluster(client):
        return {"": client}
    return {node.name: client.get_redis_connection(node) for node in client.get_primaries()}
