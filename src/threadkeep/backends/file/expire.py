"""Reclaiming what expired: found without a lock, looked at again and removed under it."""

from __future__ import annotations

import math
from itertools import chain, islice, takewhile

from threadkeep.backends.file import commit
from threadkeep.backends.file.commit_line import PendingCommit
from threadkeep.backends.file.index import Head, Index
from threadkeep.backends.file.layout import Layout
from threadkeep.backends.file.locks import Busy
from threadkeep.backends.file.log import Log
from threadkeep.backends.file.open_files import Store
from threadkeep.backends.file.read import Reader
from threadkeep.types import Drop, Query, Record


class Sweeper:
    """Goes round the folder, each sweep from where the one before came to its limit."""

    def __init__(self, layout: Layout, store: Store, *, fsync: bool) -> None:
        self._layout = layout
        self._store = store
        self._fsync = fsync
        self._place = ""

    def sweep(self, now: float, limit: int) -> int:
        """Remove up to `limit` streams and records, in one round at most."""
        swept = 0
        start = self._place
        before = takewhile(lambda found: found[0] <= start, self._layout.walk())
        for place, path in chain(self._layout.walk(start), before):
            if swept >= limit:
                return swept
            swept += self._sweep(path, now, limit - swept)
            self._place = place
        return swept

    def _sweep(self, path: str, now: float, limit: int) -> int:
        with self._store.reading(path) as log:
            if log is None or not _due(log, now):
                return 0
        try:
            with self._store.writing(path, create=False) as log:
                return self._reclaim(log, now, limit) if log else 0
        except Busy:  # somebody is at work on it: next time
            return 0

    def _reclaim(self, log: Log, now: float, limit: int) -> int:
        index = self._store.indexes.of(log.path)
        with index.mutex:
            index.catch_up(log)
            head = index.head
            if head is None or not head.lives(now):
                commit.end(log, index)
                return 1
            return self._drop_expired(log, index, head, now, limit)

    def _drop_expired(self, log: Log, index: Index, head: Head, now: float, limit: int) -> int:
        """Drop single records in a line that keeps the version, so that nobody notices."""
        pending = PendingCommit(log, index, index.end, now)
        reader = Reader(log, head, -math.inf)
        swept = 0
        for kind in _due_kinds(head, now):
            records = reader.page(Query("", kind)).records
            gone = list(islice((r.id for r in records if _ended(r, now)), limit - swept))
            pending.drop(Drop(kind, gone))
            left = set(gone)
            pending.expire(kind, [r.expires for r in records if r.id not in left])
            swept += len(gone)
        line = pending.line(head.version + pending.leap(), head.expires, head.token)
        commit.add(log, index, b"", line, fsync=self._fsync)
        header = log.header()
        if header:
            commit.tidy(log, index, header["s"], fsync=self._fsync)
        return swept


def _due(log: Log, now: float) -> bool:
    line = log.last()
    head = Head.of(line) if line else None
    return head is None or not head.lives(now) or bool(_due_kinds(head, now))


def _due_kinds(head: Head, now: float) -> list[str]:
    kinds = head.kinds.items()
    return [kind for kind, at in kinds if at.expires is not None and at.expires <= now]


def _ended(record: Record, now: float) -> bool:
    return record.expires is not None and record.expires <= now
