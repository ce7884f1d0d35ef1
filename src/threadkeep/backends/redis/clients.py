"""Clients of redis-py, made for a target; and the few things asked of any client."""

from __future__ import annotations

from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.credentials import CredentialProvider
from redis.retry import Retry

from threadkeep.backends.redis.connections import STALL, PlainConnection, TlsConnection
from threadkeep.backends.redis.url import Target
from threadkeep.errors import ConfigError

Client = Any
"""A `redis.Redis` or a `redis.RedisCluster`; of what they share redis-py has no type."""

_NAME: Final = "threadkeep"


def make(target: Target, connect_timeout: float) -> Client:
    """A client of our own, with no retries of its own and no bound on its pool: calls have both.

    A cluster is asked for its nodes here; anything else is connected to at the first command.
    """
    how: dict[str, Any] = {
        "connection_class": PlainConnection if target.tls is None else TlsConnection,
        "socket_connect_timeout": connect_timeout,
        "socket_timeout": STALL,
        "socket_keepalive": True,
        "client_name": _NAME,
        "protocol": 2,
        "credential_provider": _Login(target) if _secret(target) else None,
        **(target.tls or {}),
    }
    if target.cluster:
        return _cluster(target, how)
    host, port = target.nodes[0]
    pool = redis.ConnectionPool(
        host=host, port=port, db=target.db, retry=Retry(NoBackoff(), 0), **how
    )
    return redis.Redis(connection_pool=pool)


def _cluster(target: Target, how: dict[str, Any]) -> Client:
    """Only with a URL does redis-py let a cluster have connections of another class."""
    (host, port), *others = target.nodes
    place = f"[{host}]" if ":" in host else host
    return RedisCluster(
        url=f"redis://{place}:{port}",
        startup_nodes=[ClusterNode(*other) for other in others],  # type: ignore[no-untyped-call]
        retry=Retry(NoBackoff(), 0),
        **how,
    )


def _secret(target: Target) -> bool:
    return target.username is not None or target.password is not None


class _Login(CredentialProvider):
    """Who we are, asked at each new connection, so that passwords may rotate."""

    def __init__(self, target: Target) -> None:
        self._username = target.username
        self._password = target.password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        said = self._password
        password = (said() if callable(said) else said) or ""
        return (password,) if self._username is None else (self._username, password)


def check(client: object) -> Client:
    """A client of the application's own.

    Raises:
        ConfigError: it is of another kind.
    """
    if isinstance(client, redis.Redis | RedisCluster):
        return client
    raise ConfigError(
        f"client must be a redis.Redis or a redis.RedisCluster, got a {type(client).__name__}"
        " (async clients are bound to one event loop, so their sync twins are used)"
    )


def described(client: Client) -> str:
    """Where a client of the application's own leads, for people."""
    if clustered(client):
        return "Redis Cluster of the application's client"
    how = client.connection_pool.connection_kwargs
    host = how.get("host")
    return f"Redis at {host}:{how.get('port')}/{how.get('db', 0)}" if host else "Redis"


def clustered(client: Client) -> bool:
    """Is it the client of a cluster?"""
    return isinstance(client, RedisCluster)


def primaries(client: Client) -> dict[str, Client]:
    """A client of each server that holds streams, by its name."""
    if not clustered(client):
        return {"": client}
    return {node.name: client.get_redis_connection(node) for node in client.get_primaries()}
