"""Streams in this process's memory: fast, bounded, and gone when the process ends."""

from threadkeep.backends.memory.backend import MemoryBackend

__all__ = ["MemoryBackend"]
