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
        swept_count = 0
        resume_name = self._last_name
        logs_from_start = takewhile(
            lambda name_and_path: name_and_path[0] <= resume_name, self._layout.walk()
        )
        for log_name, log_path in chain(self._layout.walk(resume_name), logs_from_start):
            if swept_count >= limit:
                return swept_count
            swept_count += self._sweep(log_path, now, limit - swept_count)
            self._last_name = log_name
        return swept_count

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
        log_index = self._files.indexes.of(log.path)
        with log_index.mutex:
            log_index.catch_up(log)
            stream_head = log_index.head
            if stream_head is None or not stream_head.is_live(now):
                commit.end(log, log_index)
                return 1
            return self._drop_expired(log, log_index, stream_head, now, limit)

    def _drop_expired(
        self, log: Log, log_index: Index, head: StreamHead, now: float, limit: int
    ) -> int:
        """Drop single records in a line that keeps the version, so that readers see no change."""
        pending_commit = PendingCommit(log, log_index, log_index.end, now)
        log_reader = LogReader(log, head, -math.inf)
        swept_count = 0
        for expired_kind in _expired_kinds(head, now):
            kind_records = log_reader.page(Query("", expired_kind)).records
            expired_ids = list(
                islice(
                    (record.id for record in kind_records if _is_expired(record, now)),
                    limit - swept_count,
                )
            )
            pending_commit.drop(Drop(expired_kind, expired_ids))
            dropped_ids = set(expired_ids)
            pending_commit.expire(
                expired_kind,
                [record.expires for record in kind_records if record.id not in dropped_ids],
            )
            swept_count += len(expired_ids)
        sweep_line = pending_commit.line(
            head.version + pending_commit.version_gap(), head.lifetime, head.token
        )
        commit.add(log, log_index, b"", sweep_line, fsync=self._fsync)
        header = log.header()
        if header:
            commit.tidy(log, log_index, header["s"], fsync=self._fsync)
        return swept_count


def _has_expired(log: Log, now: float) -> bool:
    last_line = log.last()
    last_head = StreamHead.of(last_line) if last_line else None
    return last_head is None or not last_head.is_live(now) or bool(_expired_kinds(last_head, now))


def _expired_kinds(head: StreamHead, now: float) -> list[str]:
    kind_states = head.kinds.items()
    return [
        kind
        for kind, kind_state in kind_states
        if kind_state.expires is not None and kind_state.expires <= now
    ]


def _is_expired(record: Record, now: float) -> bool:
    return record.expires is not None and record.expires <= now
