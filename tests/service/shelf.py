"""A module that defines exactly one provider, as an application may."""

from __future__ import annotations

from threadkeep.backends.memory import MemoryBackend

made: list = []


class ShelfProvider(MemoryBackend):
    """Streams in memory; remembers what it was given."""

    def __init__(self, **options):
        super().__init__()
        self.options = options
        self.closed = False
        made.append(self)

    def close(self):
        self.closed = True
        super().close()
