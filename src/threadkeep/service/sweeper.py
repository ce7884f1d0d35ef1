"""A thread that reclaims now and then what has expired; born with the first use."""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

from threadkeep.api.memory import Memory

BATCH: Final = 1_000
PATIENCE: Final = 0.5
"""Seconds that `close` waits for a sweep that is under way."""

_ROUNDS: Final = 1_000
_log = logging.getLogger("threadkeep")

LOCK: Final = threading.RLock()
"""One for all services and their threads, held across a fork, so that no child inherits it held."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )


class Sweeper:
    """Sweeps a Memory every so often, and closes it; safe across fork.

    Args:
        memory: what is swept.
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
        """See to it that this process has its thread."""
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
        """End the thread and close the Memory, within a second.

        A sweep that takes longer ends by itself, and its thread closes the Memory.
        """
        with LOCK:
            here, self._pid = self._pid == os.getpid(), os.getpid()
            self._stop.set()
        thread = self._thread if here else None
        if thread is not None and thread is not threading.current_thread():
            thread.join(PATIENCE)
            if thread.is_alive():
                return
        self._memory.close()

    def _run(self, stop: threading.Event, interval: float) -> None:
        while not stop.wait(min(interval, threading.TIMEOUT_MAX)):
            self._sweep(stop)
        self._memory.close()

    def _sweep(self, stop: threading.Event) -> None:
        try:
            for _ in range(_ROUNDS):
                if stop.is_set() or self._memory.sweep(limit=BATCH) < BATCH:
                    return
        except Exception as error:  # the next sweep may do better
            _log.warning("a sweep of %s failed (%s)", self._name, type(error).__name__)
