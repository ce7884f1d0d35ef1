"""What a server is, for people who look into what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import redis

from threadkeep.backends.redis import clients
from threadkeep.backends.redis.clients import Client

_SAFE: Final = ("noeviction", "volatile-ttl")
_REMEDY: Final = "it may throw away whole sessions: set maxmemory-policy to noeviction"


def describe(client: Client) -> dict[str, str]:
    """`engine`, `exists`, and where this user may ask: `memory`, `eviction`, `role`."""
    try:
        nodes = [node.info() for node in clients.primaries(client).values()]
    except redis.ResponseError:  # INFO may be forbidden to this user
        return {"engine": "Redis", "exists": "yes"}
    first = nodes[0]
    name = first.get("server_name", "redis").capitalize()
    version = first.get(f"{name.lower()}_version", first.get("redis_version", "?"))
    said = {"engine": f"{name} {version}", "exists": "yes"}
    if len(nodes) > 1 or clients.clustered(client):
        said["primaries"] = str(len(nodes))
    said["memory"] = f"{sum(int(node.get('used_memory', 0)) for node in nodes):,} bytes"
    return said | _limits(first)


def _limits(node: Mapping[str, Any]) -> dict[str, str]:
    policy = str(node.get("maxmemory_policy", "?"))
    limit = int(node.get("maxmemory", 0))
    risky = limit and policy not in _SAFE
    said = {"eviction": f"{policy}: {_REMEDY}" if risky else policy}
    if node.get("role") == "slave":
        said["role"] = "a read-only replica: connect to the primary"
    return said
