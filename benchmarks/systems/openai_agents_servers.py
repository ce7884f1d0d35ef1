"""Sessions of the OpenAI Agents SDK on servers, on one event loop, as its extensions make them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from agents import TResponseInputItem
from agents.extensions.memory import RedisSession, SQLAlchemySession
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.servers import InPostgres, InRedis, async_postgres, redis


class _Sessions:
    """A session object per session, kept."""

    longest: ClassVar = 100_000
    name: str

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._sessions: dict[str, Any] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        items = cast(list[TResponseInputItem], messages)
        self._loop.run_until_complete(self._session(session).add_items(items))

    def recent(self, session: str) -> list[Any]:
        return list(self._loop.run_until_complete(self._session(session).get_items(limit=RECENT)))

    def _session(self, name: str) -> Any:
        if name not in self._sessions:
            self._sessions[name] = self._make(name)
        return self._sessions[name]

    def _make(self, name: str) -> Any:
        raise NotImplementedError


class OpenAIAgentsPostgres(_Sessions, InPostgres):
    """`SQLAlchemySession` by asyncpg; on MySQL it cannot make its tables."""

    raw: ClassVar = "raw_postgres"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._engine = create_async_engine(async_postgres())

    def _make(self, name: str) -> SQLAlchemySession:
        return SQLAlchemySession(
            name,
            engine=self._engine,
            create_tables=True,
            sessions_table=f"{self.name}_s",
            messages_table=f"{self.name}_m",
        )

    def disconnect(self) -> None:
        self._loop.run_until_complete(self._engine.dispose())
        self._loop.close()


class OpenAIAgentsRedis(_Sessions, InRedis):
    """`RedisSession`."""

    raw: ClassVar = "raw_redis"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._client = Redis.from_url(redis())

    def _make(self, name: str) -> RedisSession:
        return RedisSession(name, redis_client=self._client, key_prefix=self.name)

    def disconnect(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()
