"""One operation on a stream as a client saw it, and the log in which clients write them down."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

NEVER = float("inf")
"""When an operation ended of which nobody heard again: it may still take effect, or never did."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked, what was answered, and between which moments it must have happened.

    Attributes:
        client: whose; a client does one thing after another.
        stream: on which stream.
        verb: `append`, `swap` (an append with `expect`), `remove`, `touch`, `delete` or `read`.
        ids: of the records put or removed.
        expect: the version a `swap` requires.
        called: monotonic seconds before it was asked.
        ended: monotonic seconds after the answer; `NEVER` if there was none.
        answer: of a write `{"version", "seqs"}` or `{"conflict": true}`, of a read `{"version",
            "records": [[seq, id], ...]}`; `None` if there was none.
    """

    client: str
    stream: str
    verb: str
    called: float
    ids: tuple[str, ...] = ()
    expect: int | None = None
    ended: float = NEVER
    answer: dict[str, Any] | None = None


class OperationLog:
    """A file of JSON lines that a client killed at any moment leaves readable."""

    def __init__(self, path: Path, client: str) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._client = client
        self._count = 0

    def call(
        self, stream: str, verb: str, ids: Iterable[str] = (), expect: int | None = None
    ) -> int:
        """Write down what is about to be asked; its number."""
        self._count += 1
        self._write(
            n=self._count, client=self._client, stream=stream, verb=verb, ids=list(ids),
            expect=expect, called=time.monotonic(),
        )  # fmt: skip
        return self._count

    def answer(self, number: int, answer: dict[str, Any]) -> None:
        """Write down what came back."""
        self._write(n=number, ended=time.monotonic(), answer=answer)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, **line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def read_log(path: Path) -> Iterator[Operation]:
    """The operations of one client's log; a line that was cut off counts as not written."""
    calls: dict[int, dict[str, Any]] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        calls.setdefault(line.pop("n"), {}).update(line)
    for call in calls.values():
        yield Operation(**{**call, "ids": tuple(call["ids"])})
