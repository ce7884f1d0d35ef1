"""Streams in Redis, Valkey, or a cluster of either: one short Lua script per commit."""

from threadkeep.backends.redis.backend import RedisBackend

__all__ = ["RedisBackend"]
