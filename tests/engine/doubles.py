"""A clock that stands still, and backends that count, judge or interfere; they wrap a real one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from threadkeep import Query, Record
from threadkeep.protocols import Backend
from threadkeep.types import Commit, Page

START = 1_700_000_000.0


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


class Wrapper:
    """A backend that hands everything on."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.blocking = inner.blocking

    def read(self, *queries: Query, now: float) -> list[Page]:
        return self.inner.read(*queries, now=now)

    def commit(self, stream: str, **how: Any) -> Commit:
        return self.inner.commit(stream, **how)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        return self.inner.streams(prefix, cursor=cursor, limit=limit)

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self.inner.sweep(now, limit)

    def close(self) -> None:
        self.inner.close()


class Counting(Wrapper):
    """Counts round trips and records, and notes which streams were written."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.reset()

    def reset(self) -> None:
        self.reads = 0
        self.records = 0
        self.commits: list[str] = []

    def read(self, *queries: Query, now: float) -> list[Page]:
        pages = super().read(*queries, now=now)
        self.reads += 1
        self.records += sum(len(page.records) for page in pages)
        return pages

    def commit(self, stream: str, **how: Any) -> Commit:
        self.commits.append(stream)
        return super().commit(stream, **how)


class Judge(Wrapper):
    """Asserts that nothing beyond the limits of the protocol is asked of a backend."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.largest = 0

    def read(self, *queries: Query, now: float) -> list[Page]:
        for query in queries:
            check_name(query.stream)
        return super().read(*queries, now=now)

    def commit(self, stream: str, **how: Any) -> Commit:
        put: Sequence[Record] = how.get("put", ())
        check_name(stream)
        assert len(put) <= 1_000, f"{len(put)} records in one commit"
        assert sum(len(record.body.encode()) for record in put) <= 4_000_000, "more than 4 MB"
        for record in put:
            check_name(record.id)
            assert re.fullmatch("[a-z_]{1,32}", record.kind)
            assert "\0" not in record.body
        self.largest = max(self.largest, len(put))
        return super().commit(stream, **how)


class Meddling(Wrapper):
    """Does something else right before the next commit to a session, or right before a read.

    What it does goes through the same backend, without being meddled with in turn.
    """

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.before_commit: list[Callable[[], Any]] = []

    def commit(self, stream: str, **how: Any) -> Commit:
        if "/session/" in stream and self.before_commit:
            self.before_commit.pop(0)()
        return super().commit(stream, **how)


class Failing(Wrapper):
    """Fails commits to streams whose name holds a word, from the n-th on."""

    def __init__(self, inner: Backend, word: str, after: int, error: Exception) -> None:
        super().__init__(inner)
        self.word, self.after, self.error = word, after, error

    def commit(self, stream: str, **how: Any) -> Commit:
        if self.word in stream:
            self.after -= 1
            if self.after < 0:
                raise self.error
        return super().commit(stream, **how)


def check_name(name: str) -> None:
    """What a backend promises to take as an id or the name of a stream."""
    assert 1 <= len(name.encode()) <= 512
    assert "\0" not in name
