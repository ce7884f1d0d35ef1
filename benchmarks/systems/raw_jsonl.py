"""JSON Lines by hand: a file per session, opened for each call; the least that files can cost."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from benchmarks.messages import Message
from benchmarks.systems import RECENT, files

_BLOCK: Final = 64 * 1024


class RawJsonLines:
    """A message is a line; no lock, no checksum, no ids, no sync. It reads from the end."""

    raw: ClassVar = "raw_jsonl"
    longest: ClassVar = 1_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, session: str, messages: Sequence[Message]) -> None:
        with (self._folder / session).open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(message) + "\n" for message in messages))

    def recent(self, session: str) -> list[Any]:
        with (self._folder / session).open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            size = 0
            text = b""
            while text.count(b"\n") <= RECENT and size < end:
                size = min(end, size + _BLOCK)
                file.seek(end - size)
                text = file.read(size)
        return [json.loads(line) for line in text.splitlines()[-RECENT:]]

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        """Nothing is open."""
