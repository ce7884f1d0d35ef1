"""The open files of one process in a folder: descriptors, locks, indexes.

A forked child starts empty: it closes its copies of the descriptors that its parent's threads
had open, and creates new locks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from threadkeep.backends.common import fork
from threadkeep.backends.file import layout, locks
from threadkeep.backends.file.index import Indexes
from threadkeep.backends.file.log import Log
from threadkeep.core.call_limit import limited


class OpenFiles(fork.ForkAware):
    """Opens logs for reading or writing, each for one call."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._logs: set[Log] = set()
        self.after_fork_in_child()
        fork.register(self)

    def after_fork_in_child(self) -> None:
        """Start over, with none of the parent's descriptors open."""
        for log in self._logs:
            with suppress(OSError):
                log.close()
        self._logs = set()
        self._stripes = locks.LockStripes()
        self.indexes = Indexes()

    @contextmanager
    def reading(self, path: str) -> Iterator[Log | None]:
        """Open a log, or yield None if there is none."""
        fd = layout.open_log(path)
        if fd is None:
            yield None
            return
        with self._track(fd, path) as log:
            yield log

    @contextmanager
    def writing(self, path: str, *, create: bool) -> Iterator[Log | None]:
        """Open a log and hold its lock; yields None if there is none and `create` is False.

        Raises:
            LockTimeout: the lock was not released in time.
        """
        deadline = time.monotonic() + limited(self._timeout)
        with self._stripes.hold(os.path.basename(path), deadline):  # noqa: PTH119
            while True:
                fd = layout.open_log(path, write=True, create=create)
                if fd is None:
                    yield None
                    return
                with self._track(fd, path) as log, locks.locked(fd, path, deadline):
                    if layout.same_file(fd, path):
                        log.refresh_size()
                        yield log
                        return

    @contextmanager
    def _track(self, fd: int, path: str) -> Iterator[Log]:
        try:
            log = Log(fd, path)
        except BaseException:
            os.close(fd)
            raise
        try:
            self._logs.add(log)
            yield log
        finally:
            # before it is closed: the descriptor number may be reused at once
            self._logs.discard(log)
            log.close()
