"""A provider whose sweeps can be watched, broken, or made to hang."""

from __future__ import annotations

import threading

from threadkeep.backends.memory import MemoryBackend


class Swept(MemoryBackend):
    """Each sweep says so, and does what the test wants."""

    def __init__(self, *, behave, swept):
        super().__init__()
        self._behave = behave
        self._swept = swept
        self.closed = threading.Event()

    def sweep(self, now, limit=1000):
        self._swept.release()
        return self._behave(lambda: super(Swept, self).sweep(now, limit))

    def close(self):
        super().close()
        self.closed.set()
