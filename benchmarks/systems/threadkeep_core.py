"""threadkeep's own `add` and `window`, on SQLite and in memory; session handles are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import threadkeep
from benchmarks.messages import Message
from benchmarks.systems import RECENT, files


class Threadkeep:
    """A Memory and one handle per session; threads share it."""

    shared: ClassVar = True

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000_000

    def __init__(self, memory: threadkeep.Memory) -> None:
        self._memory = memory
        self._chats: dict[str, threadkeep.Session] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._chat(session).add(*messages)

    def recent(self, session: str) -> list[Any]:
        return self._chat(session).window(max_messages=RECENT).to_openai()

    def close(self) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        self._memory.close()

    def _chat(self, session: str) -> threadkeep.Session:
        if session not in self._chats:
            self._chats[session] = self._memory.session(session)
        return self._chats[session]


class ThreadkeepSqlite(Threadkeep):
    """As `connect("sqlite:///chat.db")` gives it: WAL, synchronous=NORMAL."""

    def __init__(self, folder: Path) -> None:
        super().__init__(threadkeep.connect(folder / "chat.db"))
        self._folder = folder

    def size(self) -> int:
        return files(self._folder)


class ThreadkeepMemory(Threadkeep):
    """The dictionary backend: what the engine costs without a database."""

    def __init__(self, folder: Path) -> None:
        super().__init__(threadkeep.connect("memory://"))

    def size(self) -> None:
        return None
