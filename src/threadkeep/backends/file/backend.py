"""The file backend: its options and the methods of the `Backend` protocol."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.faults import map_exceptions
from threadkeep.backends.file import commit, layout, vacuum
from threadkeep.backends.file.errors import ERRORS, classify
from threadkeep.backends.file.expire import FileSweeper
from threadkeep.backends.file.index import Index, StreamHead
from threadkeep.backends.file.layout import Layout
from threadkeep.backends.file.log import Log
from threadkeep.backends.file.open_files import OpenFiles
from threadkeep.backends.file.read import LogReader, NeedsIndex
from threadkeep.core.option_types import WAIT
from threadkeep.errors import BackendError, ConfigError
from threadkeep.printable import shown
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class FileBackend:
    """Streams as append-only files in a folder, for any threads and processes of one machine.

    One commit is one line with a checksum, so it is there completely or not at all; reading takes
    no lock. The folder is created at the first use, and must be on a local disk: locks on network
    drives (NFS, SMB) are not tested. Nothing stays open between calls.

    Windows is supported by design but not tested: locks are bytes of a separate file, and a file
    that a reader has open is compacted or unlinked at a later commit.

    Args:
        path: the folder.
        fsync: True: acknowledged commits survive a power cut. False: a power cut may lose the
            last commits; a crash of the process loses nothing either way.
        timeout: seconds to wait for the lock of a stream.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(self, path: str | Path, *, fsync: bool = True, timeout: float = 30.0) -> None:
        _check_options(path, fsync, timeout)
        self.blocking = True
        self._layout = Layout(str(Path(path).absolute()))
        self._fsync = fsync
        self._timeout = float(timeout)
        self._files = OpenFiles(self._timeout)
        self._sweeper = FileSweeper(self._layout, self._files, fsync=fsync)
        self._prepared = False
        self._closed = False

    def __repr__(self) -> str:
        return f"FileBackend({self._layout.folder!r})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._mapped_errors():
            self._prepare()
            queries_by_stream: dict[str, list[Query]] = {}
            for query in queries:
                queries_by_stream.setdefault(query.stream, []).append(query)
            remaining_pages_by_stream = {
                stream: iter(self._pages(stream, stream_queries, now))
                for stream, stream_queries in queries_by_stream.items()
            }
        return [next(remaining_pages_by_stream[query.stream]) for query in queries]

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        change = Change(stream, put, drop, ttl, expect, token, now)
        with self._mapped_errors():
            self._prepare()
            log_path = self._layout.path(stream)
            with self._files.writing(log_path, create=bool(put)) as log:
                if log is None:
                    return commit.commit_nothing(change)
                log_index = self._files.indexes.of(log_path)
                with log_index.mutex:
                    return commit.commit(log, log_index, change, fsync=self._fsync)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        stream_names: list[str] = []
        with self._mapped_errors():
            self._prepare()
            last_file_name = "" if cursor is None else layout.parse_cursor(cursor)
            for file_name, log_path in self._layout.walk(last_file_name):
                stream_name = self._name(log_path)
                if stream_name is not None and stream_name.startswith(prefix):
                    stream_names.append(stream_name)
                    if len(stream_names) >= limit:
                        return stream_names, file_name
        return stream_names, None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._mapped_errors():
            self._prepare()
            return self._sweeper.sweep(now, limit)

    def purge(self, now: float) -> list[str]:
        """Erase deleted data from the files' bytes; return where copies may remain.

        Raises:
            BackendTimeout: a file was locked for longer than the time-out.
            BackendError: the disk has no space to rewrite a file.
        """
        with self._mapped_errors():
            self._prepare()
            vacuum.purge(self._layout, self._files, now, fsync=self._fsync)
        return ["backups and snapshots of the folder"]

    def describe(self) -> dict[str, str]:
        """Describe the store for people; reads the folder and never creates one.

        Returns `engine`, `path`, `exists` (`yes` or `no`), and if it exists `streams`, `bytes`,
        `schema`. Lists the names of all files.
        """
        sync_label = "synced" if self._fsync else "not synced"
        description = {"engine": f"files, {sync_label} at each commit"}
        with self._mapped_errors():
            return {**description, "path": self._layout.folder, **self._layout.describe()}

    def close(self) -> None:
        """Refuse further calls; nothing is open between calls."""
        self._closed = True

    def _mapped_errors(self) -> AbstractContextManager[None]:
        return map_exceptions(ERRORS, classify, self._layout.location, self._timeout)

    def _prepare(self) -> None:
        if self._closed:
            raise BackendError(f"{self._layout.location} is closed: open a new backend")
        if not self._prepared:
            self._layout.prepare()
            self._prepared = True

    def _pages(self, stream: str, queries: Sequence[Query], now: float) -> list[Page]:
        log_path = self._layout.path(stream)
        with self._files.reading(log_path) as log:
            if log is None:
                return [Page(0, []) for _ in queries]
            last_line = log.last()
            try:
                return _read_pages(
                    log, StreamHead.of(last_line) if last_line else None, queries, now
                )
            except NeedsIndex:
                log_index = self._files.indexes.of(log_path)
            with log_index.mutex:
                log.refresh_size()
                log_index.catch_up(log)
                return _read_pages(log, log_index.head, queries, now, log_index)

    def _name(self, path: str) -> str | None:
        """The name of an existing stream, read from its file."""
        with self._files.reading(path) as log:
            last_line = log.last() if log else None
            if log is None or last_line is None or not last_line.head["v"]:
                return None
            header = log.header()
            if header is None:
                log.warn_damaged(0)
                return None
            stream_name: str = header["s"]
            return stream_name


def _read_pages(
    log: Log,
    head: StreamHead | None,
    queries: Sequence[Query],
    now: float,
    log_index: Index | None = None,
) -> list[Page]:
    if head is None or not head.is_live(now):
        return [Page(0, []) for _ in queries]
    log_reader = LogReader(log, head, now, log_index)
    return [log_reader.page(query) for query in queries]


def _check_options(path: object, fsync: object, timeout: object) -> None:
    if not isinstance(path, str | Path) or str(path) in ("", ".") or "\0" in str(path):
        raise ConfigError(f"path: expected the name of a folder, got {shown(path)}")
    if not isinstance(fsync, bool):
        raise ConfigError(f"fsync: expected true or false, got {shown(fsync)}")
    WAIT.check("timeout", timeout)
