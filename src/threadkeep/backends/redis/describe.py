"""Describes a server, for people who diagnose a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import redis

from threadkeep.backends.redis import clients
from threadkeep.backends.redis.clients import Client

_SAFE: Final = ("noeviction", "volatile-ttl")
_REMEDY: Final = "it may throw away whole sessions: set maxmemory-policy to noeviction"


def describe(client: Client) -> dict[str, str]:
    """Return `engine`, `exists`, and if this user may run INFO `memory`, `eviction`, `role`."""
    try:
        nodes = [node.info() for node in clients.primaries(client).values()]
    except redis.ResponseError:  # INFO may be forbidden to this user
        return {"engine": "Redis", "exists": "yes"}
    server = nodes[0]
    name = server.get("server_name", "redis").capitalize()
    version = server.get(f"{name.lower()}_version", server.get("redis_version", "?"))
    description = {"engine": f"{name} {version}", "exists": "yes"}
    if len(nodes) > 1 or clients.is_cluster(client):
        description["primaries"] = str(len(nodes))
    description["memory"] = f"{sum(int(node.get('used_memory', 0)) for node in nodes):,} bytes"
    return description | _limits(server)


def _limits(node: Mapping[str, Any]) -> dict[str, str]:
    policy = str(node.get("maxmemory_policy", "?"))
    limit = int(node.get("maxmemory", 0))
    risky = limit and policy not in _SAFE
    limits = {"eviction": f"{policy}: {_REMEDY}" if risky else policy}
    if node.get("role") == "slave":
        limits["role"] = "a read-only replica: connect to the primary"
    return limits
