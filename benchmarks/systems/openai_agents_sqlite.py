"""`SQLiteSession` of the OpenAI Agents SDK, on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from agents import TResponseInputItem
from agents.memory import SQLiteSession

from benchmarks.messages import Message
from benchmarks.systems import RECENT, files


class OpenAIAgentsSqlite:
    """A session object per session, kept; WAL, synchronous=FULL as the SDK leaves it."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._sessions: dict[str, SQLiteSession] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        items = cast(list[TResponseInputItem], messages)
        self._loop.run_until_complete(self._session(session).add_items(items))

    def recent(self, session: str) -> list[Any]:
        return list(self._loop.run_until_complete(self._session(session).get_items(limit=RECENT)))

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._loop.close()
        for session in self._sessions.values():
            session.close()

    def _session(self, name: str) -> SQLiteSession:
        if name not in self._sessions:
            self._sessions[name] = SQLiteSession(name, self._folder / "agents.db")
        return self._sessions[name]
