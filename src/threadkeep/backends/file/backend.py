"""The file backend: options, and what each verb does with the files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from threadkeep.backends.common.commit import Change
from threadkeep.backends.file import commit as committing
from threadkeep.backends.file import layout, vacuum
from threadkeep.backends.file.errors import translated
from threadkeep.backends.file.expire import Sweeper
from threadkeep.backends.file.index import Head, Index
from threadkeep.backends.file.layout import Layout
from threadkeep.backends.file.log import Log
from threadkeep.backends.file.open_files import Store
from threadkeep.backends.file.read import NeedsIndex, Reader
from threadkeep.errors import BackendError, ConfigError
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class FileBackend:
    """Streams as append-only files in a folder, for any threads and processes of one machine.

    One commit is one line with a checksum, so that it is there whole or not at all; reading takes
    no lock. The folder is made at the first use, and must lie on a local disk: what locks are
    worth on network drives (NFS, SMB) is not proven. Nothing stays open between calls.

    On Windows it works by construction, and was not proven there: locks are bytes of a file of
    their own, and a file that a reader has open is compacted or unlinked at a later commit.

    Args:
        path: the folder.
        fsync: True: what was acknowledged survives a power cut. False: the last commits before
            one may be missing; a crash of the process loses nothing either way.
        timeout: seconds to wait for the lock of a stream.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(self, path: str | Path, *, fsync: bool = True, timeout: float = 30.0) -> None:
        _check(path, fsync, timeout)
        self.blocking = True
        self._layout = Layout(str(Path(path).absolute()))
        self._fsync = fsync
        self._timeout = float(timeout)
        self._store = Store(self._timeout)
        self._sweeper = Sweeper(self._layout, self._store, fsync=fsync)
        self._prepared = False
        self._closed = False

    def __repr__(self) -> str:
        return f"FileBackend({self._layout.folder!r})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        with translated(self._layout.where, self._timeout):
            self._prepare()
            wanted: dict[str, list[Query]] = {}
            for query in queries:
                wanted.setdefault(query.stream, []).append(query)
            pages = {name: iter(self._pages(name, asked, now)) for name, asked in wanted.items()}
        return [next(pages[query.stream]) for query in queries]

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
        with translated(self._layout.where, self._timeout):
            self._prepare()
            path = self._layout.path(stream)
            with self._store.writing(path, create=bool(put)) as log:
                if log is None:
                    return committing.commit_nothing(change)
                index = self._store.indexes.of(path)
                with index.mutex:
                    return committing.commit(log, index, change, fsync=self._fsync)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        names: list[str] = []
        with translated(self._layout.where, self._timeout):
            self._prepare()
            for place, path in self._layout.walk("" if cursor is None else layout.place(cursor)):
                name = self._name(path)
                if name is not None and name.startswith(prefix):
                    names.append(name)
                    if len(names) >= limit:
                        return names, place
        return names, None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with translated(self._layout.where, self._timeout):
            self._prepare()
            return self._sweeper.sweep(now, limit)

    def purge(self, now: float) -> list[str]:
        """Take what was deleted out of the files' own bytes; where copies may be left.

        Raises:
            BackendTimeout: somebody held a file for longer than the time-out.
            BackendError: there is no room to write a file anew.
        """
        with translated(self._layout.where, self._timeout):
            self._prepare()
            vacuum.purge(self._layout, self._store, now, fsync=self._fsync)
        return ["backups and snapshots of the folder"]

    def describe(self) -> dict[str, str]:
        """What and where it is, for people; looks at the folder and never makes one.

        `engine`, `path`, `exists` (`yes` or `no`), and of a store that is there `streams`,
        `bytes`, `schema`. Goes through the names of all files.
        """
        said = {"engine": f"files, {'synced' if self._fsync else 'not synced'} at each commit"}
        with translated(self._layout.where, self._timeout):
            return {**said, "path": self._layout.folder, **self._layout.described()}

    def close(self) -> None:
        """Refuse further calls; nothing is open between calls."""
        self._closed = True

    def _prepare(self) -> None:
        if self._closed:
            raise BackendError(f"{self._layout.where} is closed: open a new backend")
        if not self._prepared:
            self._layout.prepare()
            self._prepared = True

    def _pages(self, stream: str, queries: Sequence[Query], now: float) -> list[Page]:
        path = self._layout.path(stream)
        with self._store.reading(path) as log:
            if log is None:
                return [Page(0, []) for _ in queries]
            line = log.last()
            try:
                return _answers(log, Head.of(line) if line else None, queries, now)
            except NeedsIndex:
                index = self._store.indexes.of(path)
            with index.mutex:
                log.grow()
                index.catch_up(log)
                return _answers(log, index.head, queries, now, index)

    def _name(self, path: str) -> str | None:
        """The name of a stream that is there, from inside its file."""
        with self._store.reading(path) as log:
            line = log.last() if log else None
            if log is None or line is None or not line.head["v"]:
                return None
            header = log.header()
            if header is None:
                log.tell_damaged(0)
                return None
            name: str = header["s"]
            return name


def _answers(
    log: Log, head: Head | None, queries: Sequence[Query], now: float, index: Index | None = None
) -> list[Page]:
    if head is None or not head.lives(now):
        return [Page(0, []) for _ in queries]
    reader = Reader(log, head, now, index)
    return [reader.page(query) for query in queries]


def _check(path: object, fsync: object, timeout: object) -> None:
    if not isinstance(path, str | Path) or str(path) in ("", ".") or "\0" in str(path):
        raise ConfigError(f"path: expected the name of a folder, got {path!r}")
    if not isinstance(fsync, bool):
        raise ConfigError(f"fsync: expected true or false, got {fsync!r}")
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not number or not math.isfinite(timeout) or timeout < 0:  # type: ignore[arg-type,operator]
        raise ConfigError(f"timeout: expected seconds, 0 or more, got {timeout!r}")
