"""Removes expired data: finds it without a lock, checks again and removes it under the lock."""

from __future__ import annotations

import math
from itertools import chain, islice, takewhile

from threadkeep.backends.file import commit
from threadkeep.backends.file.commit_line import PendingCommit
from threadkeep.backends.file.index import Index, StreamHead
from threadkeep.backends.file.layout import Layout
from threadkeep.backends.file.locks import LockTimeout
from threadkeep.backends.file.log import Log
from threadkeep.backends.file.open_files import OpenFiles
from threadkeep.backends.file.read import LogReader
from threadkeep.types import Drop, Query, Record


class FileSweeper:
    """Sweeps the folder in rounds; each sweep continues where the previous one stopped."""

    def __init__(self, layout: Layout, files: OpenFiles, *, fsync: bool) -> None:
        self._layout = layout
        self._files = files
        self._fsync = fsync
        self._last_name = ""

    def sweep(self, now: float, limit: int) -> int:
        """Remove up to `limit` streams and records, in at most one round."""
        swept = 0
        start = self._last_name
        wrapped = takewhile(lambda entry: entry[0] <= start, self._layout.walk())
        for name, path in chain(self._layout.walk(start), wrapped):
            if swept >= limit:
                return swept
            swept += self._sweep(path, now, limit - swept)
            self._last_name = name
        return swept

    def _sweep(self, path: str, now: float, limit: int) -> int:
        with self._files.reading(path) as log:
            if log is None or not _has_expired(log, now):
                return 0
        try:
            with self._files.writing(path, create=False) as log:
                return self._reclaim(log, now, limit) if log else 0
        except LockTimeout:  # another process is writing to it: next time
            return 0

    def _reclaim(self, log: Log, now: float, limit: int) -> int:
        index = self._files.indexes.of(log.path)
        with index.mutex:
            index.catch_up(log)
            head = index.head
            if head is None or not head.is_live(now):
                commit.end(log, index)
                return 1
            return self._drop_expired(log, index, head, now, limit)

    def _drop_expired(
        self, log: Log, index: Index, head: StreamHead, now: float, limit: int
    ) -> int:
        """Drop single records in a line that keeps the version, so that readers see no change."""
        pending = PendingCommit(log, index, index.end, now)
        reader = LogReader(log, head, -math.inf)
        swept = 0
        for kind in _expired_kinds(head, now):
            records = reader.page(Query("", kind)).records
            expired_ids = list(
                islice((r.id for r in records if _is_expired(r, now)), limit - swept)
            )
            pending.drop(Drop(kind, expired_ids))
            dropped_ids = set(expired_ids)
            pending.expire(kind, [r.expires for r in records if r.id not in dropped_ids])
            swept += len(expired_ids)
        line = pending.line(head.version + pending.version_gap(), head.lifetime, head.token)
        commit.add(log, index, b"", line, fsync=self._fsync)
        header = log.header()
        if header:
            commit.tidy(log, index, header["s"], fsync=self._fsync)
        return swept


def _has_expired(log: Log, now: float) -> bool:
    line = log.last()
    head = StreamHead.of(line) if line else None
    return head is None or not head.is_live(now) or bool(_expired_kinds(head, now))


def _expired_kinds(head: StreamHead, now: float) -> list[str]:
    kinds = head.kinds.items()
    return [kind for kind, state in kinds if state.expires is not None and state.expires <= now]


def _is_expired(record: Record, now: float) -> bool:
    return record.expires is not None and record.expires <= now
