"""Write locks: one thread of one process writes to a stream. System modules are loaded lazily.

POSIX: `flock` on the log itself. A compaction replaces the file, so the new holder of a lock
checks that the path still refers to the file it locked.
Windows: file locks there block readers, and an open file cannot be replaced. So a byte of the
file `lock` beside the logs is locked, another byte for each stream, far behind the file's end.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from threadkeep.backends.common import interrupts

_STRIPES: Final = 256
_SHORTEST, _LONGEST = 0.0001, 0.005


class LockTimeout(Exception):
    """The lock was not released in time."""


class LockStripes:
    """Locks for the threads of this process, each shared by several streams."""

    def __init__(self) -> None:
        self._locks = [interrupts.new_lock() for _ in range(_STRIPES)]

    @contextmanager
    def hold(self, name: str, deadline: float) -> Iterator[None]:
        lock = self._locks[int(name[:4], 16) % _STRIPES]
        try:
            if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise LockTimeout
            yield
        finally:
            interrupts.release_all(lock)


@contextmanager
def locked(fd: int, path: str, deadline: float) -> Iterator[None]:
    """Hold the lock of the log at `path`, open as `fd`, against other processes.

    Raises:
        LockTimeout: it was not released in time.
    """
    acquire_lock, release_lock = _platform_lock()
    lock_handle = acquire_lock(fd, path, deadline)
    try:
        yield
    finally:
        release_lock(lock_handle)


@contextmanager
def reserved(fd: int) -> Iterator[None]:
    """Hold the lock of a file that is about to replace a log, whose lock is held.

    Where the lock is not on the log itself (Windows), the log's is enough.
    """
    try:
        fcntl: Any = importlib.import_module("fcntl")
    except ImportError:
        yield
        return
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def retry_until(attempt: Callable[[], bool], deadline: float) -> None:
    """Retry an attempt until the deadline: no system call waits for a lock with a time-out."""
    pause_seconds = _SHORTEST
    while not attempt():
        if time.monotonic() >= deadline:
            raise LockTimeout
        time.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, _LONGEST)


@cache
def _platform_lock() -> tuple[Callable[[int, str, float], int], Callable[[int], None]]:
    try:
        return _posix(importlib.import_module("fcntl"))
    except ImportError:
        return _windows(importlib.import_module("msvcrt"))


def _posix(fcntl: Any) -> tuple[Callable[[int, str, float], int], Callable[[int], None]]:
    def attempt(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def acquire(fd: int, path: str, deadline: float) -> int:
        if not attempt(fd):
            retry_until(lambda: attempt(fd), deadline)
        return fd

    def release(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)  # closing is not enough if a forked child has a copy

    return acquire, release


def _windows(msvcrt: Any) -> tuple[Callable[[int, str, float], int], Callable[[int], None]]:
    def attempt(fd: int, offset: int) -> bool:
        os.lseek(fd, offset, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def acquire(log: int, path: str, deadline: float) -> int:
        log_path = Path(path)
        open_flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        fd = os.open(log_path.with_name("lock"), open_flags, 0o600)
        try:
            retry_until(lambda: attempt(fd, 1 + int(log_path.stem[:7], 16)), deadline)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def release(fd: int) -> None:
        try:
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        finally:
            os.close(fd)

    return acquire, release
