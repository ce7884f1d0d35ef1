"""A thread that periodically sweeps expired records; started at the first use."""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

from threadkeep.api.memory import Memory

BATCH: Final = 1_000
CLOSE_TIMEOUT: Final = 0.5
"""Seconds that `close` waits for a running sweep."""

_MAX_BATCHES: Final = 1_000
_log = logging.getLogger("threadkeep")

LOCK: Final = threading.RLock()
"""One for all services and their threads, held across a fork, so that no child inherits it held."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )


class SweepThread:
    """Sweeps a Memory periodically, and closes it; safe across fork.

    Args:
        memory: the Memory to sweep.
        interval: seconds between two sweeps; `None` = no thread, ever.
        name: of the thread.
    """

    def __init__(self, memory: Memory, interval: float | None, name: str) -> None:
        self._memory = memory
        self._interval = interval
        self._name = name
        self._pid: int | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Start the thread of this process, if it is not running."""
        if self._interval is None or self._pid == os.getpid():
            return
        with LOCK:
            if self._pid == os.getpid():
                return
            self._pid, self._stop = os.getpid(), threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stop, self._interval), name=self._name, daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Stop the thread and close the Memory, within a second.

        A sweep that takes longer ends by itself, and its thread closes the Memory.
        """
        with LOCK:
            is_same_process, self._pid = self._pid == os.getpid(), os.getpid()
            self._stop.set()
        thread = self._thread if is_same_process else None
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_TIMEOUT)
            if thread.is_alive():
                return
        self._memory.close()

    def _run(self, stop: threading.Event, interval: float) -> None:
        while not stop.wait(min(interval, threading.TIMEOUT_MAX)):
            self._sweep(stop)
        self._memory.close()

    def _sweep(self, stop: threading.Event) -> None:
        try:
            for _ in range(_MAX_BATCHES):
                if stop.is_set() or self._memory.sweep(limit=BATCH) < BATCH:
                    return
        except Exception as error:  # the next sweep may succeed
            _log.warning("a sweep of %s failed (%s)", self._name, type(error).__name__)
