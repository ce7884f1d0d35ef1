"""A module that defines two providers, one of them hard to please."""

from __future__ import annotations

from threadkeep.backends.memory import MemoryBackend


class Plain(MemoryBackend):
    """Takes what MemoryBackend takes."""


class Picky(MemoryBackend):
    """Refuses what it is given, and says it aloud."""

    def __init__(self, *, password, host="here"):
        raise RuntimeError(f"{password} does not open {host}")


class Half:
    """No store: it can only read."""

    def read(self, *queries, now):
        return []


def make(**options):
    return Plain(**options)


def nothing(**options):
    return Half()
