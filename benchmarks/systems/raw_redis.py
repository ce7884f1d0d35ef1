"""redis-py by hand, a list with a life for each session: the least a chat there can cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from redis import Redis

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.servers import InRedis, redis

MONTH = 30 * 86_400


class RawRedis(InRedis):
    """RPUSH and EXPIRE in one round trip, then LRANGE."""

    raw: ClassVar = "raw_redis"
    longest: ClassVar = 100_000

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._client = Redis.from_url(redis(), protocol=2)

    def append(self, session: str, messages: Sequence[Message]) -> None:
        key = f"{self.name}:{session}"
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.rpush(key, *(json.dumps(message) for message in messages))
            pipeline.expire(key, MONTH)
            pipeline.execute()

    def recent(self, session: str) -> list[Any]:
        bodies: Any = self._client.lrange(f"{self.name}:{session}", -RECENT, -1)
        return [json.loads(body) for body in bodies]

    def disconnect(self) -> None:
        self._client.close()
