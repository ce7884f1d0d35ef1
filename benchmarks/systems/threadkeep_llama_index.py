"""`ThreadkeepMemory` of LlamaIndex on SQLite, on one event loop, as agents use it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import threadkeep
from benchmarks.messages import Message
from benchmarks.systems import RECENT, files
from benchmarks.systems.llama_index_sqlite import chat
from llama_index.memory.threadkeep import ThreadkeepMemory


class ThreadkeepLlamaIndex:
    """A memory object per session, kept; a window of the newest messages."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._memory = threadkeep.connect(f"sqlite:///{folder}/chat.db")
        self._kept: dict[str, ThreadkeepMemory] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._loop.run_until_complete(self._of(session).aput_messages([chat(m) for m in messages]))

    def recent(self, session: str) -> list[Any]:
        return self._loop.run_until_complete(self._of(session).aget())

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._loop.close()
        self._memory.close()

    def _of(self, name: str) -> ThreadkeepMemory:
        if name not in self._kept:
            window = {"max_messages": RECENT, "step": 0}
            self._kept[name] = ThreadkeepMemory(name, self._memory, window=window)
        return self._kept[name]
