"""`ThreadkeepChatMessageHistory` with a window of the newest messages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import threadkeep
from benchmarks.messages import Message
from benchmarks.systems import RECENT, files
from benchmarks.systems.langchain_messages import chat
from langchain_threadkeep import ThreadkeepChatMessageHistory


class ThreadkeepLangChain:
    """A history object per session, kept, on one file."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory = threadkeep.connect(folder / "chat.db")
        self._window = threadkeep.policies.max_messages(RECENT)
        self._histories: dict[str, ThreadkeepChatMessageHistory] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._history(session).add_messages([chat(message) for message in messages])

    def recent(self, session: str) -> list[Any]:
        return self._history(session).messages

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._memory.close()

    def _history(self, session: str) -> ThreadkeepChatMessageHistory:
        if session not in self._histories:
            self._histories[session] = ThreadkeepChatMessageHistory(
                session, self._memory, window=self._window
            )
        return self._histories[session]
