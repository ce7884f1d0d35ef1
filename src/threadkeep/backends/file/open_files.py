"""What one process has open and remembers of a folder: descriptors, locks, indexes.

A forked child starts with nothing of it: it closes the copies of what its parent's threads had
open, and takes new locks.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from threadkeep.backends.file import layout, locks
from threadkeep.backends.file.index import Indexes
from threadkeep.backends.file.log import Log


class Store:
    """Opens logs, to read or to write, each for one call."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._logs: set[Log] = set()
        self.restart()
        with _LOCK:
            _STORES.add(self)

    def restart(self) -> None:
        """Begin anew, in a forked child."""
        for log in self._logs:
            with suppress(OSError):
                log.close()
        self._logs = set()
        self._stripes = locks.Stripes()
        self.indexes = Indexes()

    @contextmanager
    def reading(self, path: str) -> Iterator[Log | None]:
        """The log, or None if there is none."""
        fd = layout.open_log(path)
        if fd is None:
            yield None
            return
        with self._held(fd, path) as log:
            yield log

    @contextmanager
    def writing(self, path: str, *, create: bool) -> Iterator[Log | None]:
        """The log under its lock, or None if there is none and none is to be made.

        Raises:
            Busy: the lock was not free in time.
        """
        deadline = time.monotonic() + self._timeout
        with self._stripes.held(os.path.basename(path), deadline):  # noqa: PTH119
            while True:
                fd = layout.open_log(path, write=True, create=create)
                if fd is None:
                    yield None
                    return
                with self._held(fd, path) as log, locks.locked(fd, path, deadline):
                    if layout.same_file(fd, path):
                        log.grow()
                        yield log
                        return

    @contextmanager
    def _held(self, fd: int, path: str) -> Iterator[Log]:
        try:
            log = Log(fd, path)
        except BaseException:
            os.close(fd)
            raise
        self._logs.add(log)
        try:
            yield log
        finally:
            self._logs.discard(log)  # before it is closed: the number may be another's at once
            log.close()


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_LOCK = threading.Lock()


def _after_fork_in_child() -> None:
    for store in list(_STORES):
        store.restart()
    _LOCK.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_after_fork_in_child
    )
