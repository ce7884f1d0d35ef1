"""Locks that an interrupt (Ctrl-C, a notebook's stop button) leaves behind are released.

The interpreter raises it between any two steps, also between taking a lock and the block that is
to release it. A lock that knows its thread can be released wherever that was, and what is still
left is taken over by the thread's next call.
"""

from __future__ import annotations

import threading
from contextlib import suppress


def new_lock() -> threading.RLock:
    """A lock for `release_all`. No thread takes it twice, unless it was interrupted."""
    return threading.RLock()


def release_all(lock: threading.RLock) -> None:
    """Release a lock if this thread holds it, however often it took it."""
    with suppress(RuntimeError):
        while True:
            lock.release()
