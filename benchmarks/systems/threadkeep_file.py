"""threadkeep on its file store: warm, synced at every commit, and cold, a new Memory per call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import threadkeep
from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.threadkeep_core import Threadkeep


class ThreadkeepFile(Threadkeep):
    """As `connect("file:chats?fsync=false")` gives it: as durable as the raw lines."""

    raw: ClassVar = "raw_jsonl"
    fsync: ClassVar = False

    def __init__(self, folder: Path) -> None:
        super().__init__(_opened(folder, fsync=self.fsync))
        self._folder = folder

    def size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.rglob("*.*"))


class ThreadkeepFileSynced(ThreadkeepFile):
    """As `connect("file:chats")` gives it: each commit reaches the disk before it is answered."""

    fsync: ClassVar = True


class ThreadkeepFileCold:
    """A new Memory for every call, which knows nothing, as a script that is run again and again."""

    raw: ClassVar = "raw_jsonl"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, session: str, messages: Sequence[Message]) -> None:
        with _opened(self._folder, fsync=False) as memory:
            memory.session(session).add(*messages)

    def recent(self, session: str) -> list[Any]:
        with _opened(self._folder, fsync=False) as memory:
            return memory.session(session).window(max_messages=RECENT).to_openai()

    def size(self) -> None:
        return None

    def close(self) -> None:
        """Nothing is open."""


def _opened(folder: Path, *, fsync: bool) -> threadkeep.Memory:
    return threadkeep.connect({"type": "file", "path": folder / "chats", "fsync": fsync})
