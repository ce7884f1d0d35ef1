"""Streams in Redis, Valkey, or a cluster of either: one short Lua script per commit."""

from threadkeep.backends.redis.backend import RedisBackend
from threadkeep.backends.redis.settings import open_redis

__all__ = ["RedisBackend", "open_redis"]
