"""Chat stores of LlamaIndex on servers, on one event loop; they read all, then we slice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore
from llama_index.storage.chat_store.redis import RedisChatStore  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.llama_index_sqlite import chat
from benchmarks.systems.servers import InPostgres, InRedis, async_postgres, redis


class LlamaIndexPostgres(InPostgres):
    """`SQLAlchemyChatStore` by asyncpg; on MySQL it cannot make its table."""

    raw: ClassVar = "raw_postgres"
    longest: ClassVar = 1_000  # a turn at 10,000 takes a second

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._engine = create_async_engine(async_postgres())
        self._store = SQLAlchemyChatStore(self.name, async_engine=self._engine)

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._loop.run_until_complete(
            self._store.add_messages(session, [chat(m) for m in messages])
        )

    def recent(self, session: str) -> list[Any]:
        return self._loop.run_until_complete(self._store.get_messages(session))[-RECENT:]

    def disconnect(self) -> None:
        self._loop.run_until_complete(self._engine.dispose())
        self._loop.close()


class LlamaIndexRedis(InRedis):
    """`RedisChatStore`, which takes one message at a time."""

    raw: ClassVar = "raw_redis"
    longest: ClassVar = 10_000

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._store = RedisChatStore(redis())

    def append(self, session: str, messages: Sequence[Message]) -> None:
        for message in messages:
            self._store.add_message(f"{self.name}:{session}", chat(message))

    def recent(self, session: str) -> list[Any]:
        return list(self._store.get_messages(f"{self.name}:{session}")[-RECENT:])

    def disconnect(self) -> None:
        """Its client is its own affair."""
