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
        server_infos = [primary.info() for primary in clients.primaries(client).values()]
    except redis.ResponseError:  # INFO may be forbidden to this user
        return {"engine": "Redis", "exists": "yes"}
    first_info = server_infos[0]
    product_name = first_info.get("server_name", "redis").capitalize()
    product_version = first_info.get(
        f"{product_name.lower()}_version", first_info.get("redis_version", "?")
    )
    description = {"engine": f"{product_name} {product_version}", "exists": "yes"}
    if len(server_infos) > 1 or clients.is_cluster(client):
        description["primaries"] = str(len(server_infos))
    description["memory"] = (
        f"{sum(int(server_info.get('used_memory', 0)) for server_info in server_infos):,} bytes"
    )
    return description | _limits(first_info)


def _limits(server_info: Mapping[str, Any]) -> dict[str, str]:
    eviction_policy = str(server_info.get("maxmemory_policy", "?"))
    memory_limit = int(server_info.get("maxmemory", 0))
    may_evict_sessions = memory_limit and eviction_policy not in _SAFE
    limit_descriptions = {
        "eviction": f"{eviction_policy}: {_REMEDY}" if may_evict_sessions else eviction_policy
    }
    if server_info.get("role") == "slave":
        limit_descriptions["role"] = "a read-only replica: connect to the primary"
    return limit_descriptions
