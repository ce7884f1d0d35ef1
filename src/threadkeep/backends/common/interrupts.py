"""Locks and connections that an interrupt (Ctrl-C, a notebook's stop button) leaves behind.

The interpreter raises it between any two steps, also between taking a lock and the block that is
to release it. What knows its thread can be released wherever that was, and what is still left is
taken over by the thread's next call.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


def new_lock() -> threading.RLock:
    """A lock for `release_all`. No thread takes it twice, unless it was interrupted."""
    return threading.RLock()


def release_all(lock: threading.RLock) -> None:
    """Release a lock if this thread holds it, however often it took it."""
    with suppress(RuntimeError):
        while True:
            lock.release()


def take(target: list[T], source: Callable[..., T], argument: object) -> None:
    """Append what `source(argument)` returns, in one step if it is a builtin."""
    target.extend(map(source, (argument,)))


def is_running(frame: FrameType) -> bool:
    """Return True if a call of this thread has not ended yet."""
    current_frame: FrameType | None = sys._getframe(1)
    while current_frame is not None and current_frame is not frame:
        current_frame = current_frame.f_back
    return current_frame is not None
