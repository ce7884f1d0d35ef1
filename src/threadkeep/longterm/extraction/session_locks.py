"""Locks by session: within this process one thread at a time extracts from a session."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SessionLocks:
    """Who reads which session. For any number of threads; a forked child begins with none.

    Leases keep other processes away. Within one, to be told that a session is busy would be no
    answer to who asked for it to be read.

    Args:
        patience: seconds to wait for another thread, at most: then the lease has the last word.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = min(timeout, threading.TIMEOUT_MAX)
        self._reset()

    @contextmanager
    def hold(self, session: str) -> Iterator[None]:
        """Wait until no other thread reads the session; while inside, the others wait."""
        if self._pid != os.getpid():
            self._reset()
        condition, owner_threads, thread_id = self._condition, self._owners, threading.get_ident()
        if (
            owner_threads.get(session) == thread_id
        ):  # a model that asks for it to be read is told by the lease
            yield
            return
        with condition:
            condition.wait_for(lambda: session not in owner_threads, self._timeout)
            owner_threads[session] = thread_id
        try:
            yield
        finally:
            with condition:
                if owner_threads.get(session) == thread_id:
                    del owner_threads[session]
                condition.notify_all()

    def _reset(self) -> None:
        self._condition = threading.Condition()
        self._owners: dict[str, int] = {}
        self._pid = os.getpid()
