"""`ThreadkeepSession` of the OpenAI Agents SDK on SQLite, on one event loop, as the SDK uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from agents import TResponseInputItem

import threadkeep
from benchmarks.messages import Message
from benchmarks.systems import RECENT, files
from openai_agents_threadkeep import ThreadkeepSession


class ThreadkeepAgents:
    """A session object per session, kept."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._memory = threadkeep.connect(f"sqlite:///{folder}/chat.db")
        self._sessions: dict[str, ThreadkeepSession] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        items = cast(list[TResponseInputItem], messages)
        self._loop.run_until_complete(self._session(session).add_items(items))

    def recent(self, session: str) -> list[Any]:
        return list(self._loop.run_until_complete(self._session(session).get_items(limit=RECENT)))

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._loop.close()
        self._memory.close()

    def _session(self, name: str) -> ThreadkeepSession:
        if name not in self._sessions:
            self._sessions[name] = ThreadkeepSession(name, self._memory)
        return self._sessions[name]
