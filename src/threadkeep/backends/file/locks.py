"""Who may write: one thread of one process per stream. Nothing here is loaded before it is used.

POSIX: `flock` on the log itself. A compaction puts another file in its place, so whoever got the
lock looks whether the path still leads to the file he locked.
Windows: locks there keep others from reading, and a file that is open cannot be replaced. So one
byte of the file `lock` beside the logs is locked, another byte for each stream, far behind its end.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

_STRIPES: Final = 256
_SHORTEST, _LONGEST = 0.0001, 0.005


class Busy(Exception):
    """The lock was not free in time."""


class Stripes:
    """Locks among the threads of this process, one for several streams each."""

    def __init__(self) -> None:
        self._locks = [threading.Lock() for _ in range(_STRIPES)]

    @contextmanager
    def held(self, name: str, deadline: float) -> Iterator[None]:
        lock = self._locks[int(name[:4], 16) % _STRIPES]
        if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Busy
        try:
            yield
        finally:
            lock.release()


@contextmanager
def locked(fd: int, path: str, deadline: float) -> Iterator[None]:
    """Hold the lock of the log at `path`, open as `fd`, against other processes.

    Raises:
        Busy: it was not free in time.
    """
    take, release = _system()
    held = take(fd, path, deadline)
    try:
        yield
    finally:
        release(held)


@contextmanager
def reserved(fd: int) -> Iterator[None]:
    """Hold the lock of a file that is about to take the place of a log, which is locked.

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


def wait(attempt: Callable[[], bool], deadline: float) -> None:
    """Try until it succeeds: no system can wait for a lock for so many seconds."""
    pause = _SHORTEST
    while not attempt():
        if time.monotonic() >= deadline:
            raise Busy
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST)


@cache
def _system() -> tuple[Callable[[int, str, float], int], Callable[[int], None]]:
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

    def take(fd: int, path: str, deadline: float) -> int:
        if not attempt(fd):
            wait(lambda: attempt(fd), deadline)
        return fd

    def release(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)  # closing is not enough where a child has a copy

    return take, release


def _windows(msvcrt: Any) -> tuple[Callable[[int, str, float], int], Callable[[int], None]]:
    def attempt(fd: int, place: int) -> bool:
        os.lseek(fd, place, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def take(log: int, path: str, deadline: float) -> int:
        file = Path(path)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        fd = os.open(file.with_name("lock"), flags, 0o666)
        try:
            wait(lambda: attempt(fd, 1 + int(file.stem[:7], 16)), deadline)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def release(fd: int) -> None:
        try:
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        finally:
            os.close(fd)

    return take, release
