"""Streams in Redis, Valkey, or a cluster of either: two keys and a short script per commit."""

from threadkeep.backends.redis.backend import RedisBackend

__all__ = ["RedisBackend"]
