"""redis-py by hand, a list with a life for each session: the least a chat there can cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from redis import Redis

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.servers import redis
from tests.servers.instances import fresh_table

MONTH = 30 * 86_400


class RawRedis:
    """RPUSH and EXPIRE in one round trip, then LRANGE."""

    raw: ClassVar = "raw_redis"
    longest: ClassVar = 100_000

    def __init__(self, folder: Path) -> None:
        self._client = Redis.from_url(redis(), protocol=2)
        self._prefix = fresh_table()

    def append(self, session: str, messages: Sequence[Message]) -> None:
        key = f"{self._prefix}:{session}"
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.rpush(key, *(json.dumps(message) for message in messages))
            pipeline.expire(key, MONTH)
            pipeline.execute()

    def recent(self, session: str) -> list[Any]:
        found: Any = self._client.lrange(f"{self._prefix}:{session}", -RECENT, -1)
        return [json.loads(body) for body in found]

    def size(self) -> None:
        return None

    def close(self) -> None:
        for key in self._client.scan_iter(f"{self._prefix}:*"):
            self._client.unlink(key)
        self._client.close()
