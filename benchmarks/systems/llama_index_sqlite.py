"""`SQLAlchemyChatStore` of LlamaIndex on SQLite, on one event loop; it reads all, then we slice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from llama_index.core.llms import ChatMessage
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.messages import Message
from benchmarks.systems import RECENT, files


class LlamaIndexSqlite:
    """The default store of `Memory`, in a file; journal and sync as SQLAlchemy leaves them."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000  # a turn at 10,000 takes half a second

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'llama.db'}")
        self._store = SQLAlchemyChatStore("chat", async_engine=self._engine)

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._loop.run_until_complete(
            self._store.add_messages(session, [chat(m) for m in messages])
        )

    def recent(self, session: str) -> list[Any]:
        return self._loop.run_until_complete(self._store.get_messages(session))[-RECENT:]

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._loop.run_until_complete(self._engine.dispose())
        self._loop.close()


def chat(message: Message) -> ChatMessage:
    """The message as LlamaIndex has it; what it has no field for stands in `additional_kwargs`."""
    extra = {key: value for key, value in message.items() if key not in {"role", "content"}}
    return ChatMessage(role=message["role"], content=message["content"], additional_kwargs=extra)
