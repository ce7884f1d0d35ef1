"""One reader of a session at a time in this process; whoever comes second waits."""

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

    def __init__(self, patience: float) -> None:
        self._patience = min(patience, threading.TIMEOUT_MAX)
        self._begin()

    @contextmanager
    def of(self, session: str) -> Iterator[None]:
        """Wait until no other thread reads the session; while inside, the others wait."""
        if self._pid != os.getpid():
            self._begin()
        free, readers, me = self._free, self._readers, threading.get_ident()
        if readers.get(session) == me:  # a model that asks for it to be read is told by the lease
            yield
            return
        with free:
            free.wait_for(lambda: session not in readers, self._patience)
            readers[session] = me
        try:
            yield
        finally:
            with free:
                if readers.get(session) == me:
                    del readers[session]
                free.notify_all()

    def _begin(self) -> None:
        self._free = threading.Condition()
        self._readers: dict[str, int] = {}
        self._pid = os.getpid()
