"""Keeps forks apart from work in libraries whose locks no child could ever release.

OpenSSL, libpq, name look-ups and imports lock inside themselves. A child that is forked while
another thread holds such a lock would hang at its own first connection.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MAX_WAIT: Final = 2.0
"""Seconds that a fork waits: who connects for longer waits for a network, and holds no lock."""

_POLL: Final = 0.0005
_TASKS: Final = Path("/proc/self/task")  # of Linux; elsewhere no ending thread is waited for
_MAX_ENDING: Final = 256


class _Gate:
    """Who is inside, and which threads are about to end."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # held while the gate is shut
        self.inside: dict[int, None] = {}  # threads; each step on it is atomic
        self.ending: deque[tuple[int, float]] = deque(maxlen=_MAX_ENDING)


_gate = _Gate()


@contextmanager
def no_fork() -> Iterator[None]:
    """While inside, forks wait, for two seconds at most; one that is under way is waited for."""
    thread_id, gate = threading.get_native_id(), _gate
    if thread_id in gate.inside:
        yield
        return
    with gate.lock:
        gate.inside[thread_id] = None
    try:
        yield
    finally:
        gate.inside.pop(thread_id, None)


def thread_ends() -> None:
    """Forks wait until this thread is gone: libraries lock when a thread that used them ends.

    `Thread.join` does not tell: below Python 3.13 it returns before that.
    """
    _gate.ending.append((threading.get_native_id(), time.monotonic()))


def shut() -> None:
    """Let nobody in any more, and wait until those inside are out, and ending threads gone."""
    _gate.lock.acquire()
    deadline = time.monotonic() + MAX_WAIT
    while _is_busy() and time.monotonic() < deadline:
        time.sleep(_POLL)


def reopen() -> None:
    """Let threads in again."""
    _gate.lock.release()


def start_over() -> None:
    """Open the gate of a child, which has none of the parent's other threads."""
    global _gate
    _gate = _Gate()


def _is_busy() -> bool:
    if any(thread != threading.get_native_id() for thread in [*_gate.inside]):
        return True
    while _gate.ending:
        thread_id, ending_since = _gate.ending[0]
        is_recent = (
            time.monotonic() - ending_since < MAX_WAIT
        )  # later the number may be another thread's
        if is_recent and (_TASKS / str(thread_id)).exists():
            return True
        _gate.ending.popleft()
    return False
