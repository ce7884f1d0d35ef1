"""A size-bounded cache of two generations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MAX_AGE: Final = 60.0
"""Seconds until a cached stream is read again, whatever its version: a store that was restored from
a copy may repeat versions."""

_MAX_SHARE: Final = 1 / 8  # of the capacity: a heavier value would evict too many others


class GenerationalCache(Generic[K, V]):
    """Holds the values put last, at most twice `capacity` in weight; thread-safe.

    When the young generation is full, it becomes the old one, which is dropped: so no lock is
    needed.

    Args:
        capacity: the weight that a generation holds.
        weigh: returns the weight of a value; default: 1.
    """

    def __init__(self, capacity: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self._max_weight = capacity
        self._weigh = weigh
        self.clear()

    def clear(self) -> None:
        """Drop all values."""
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._room = self._max_weight

    def get(self, key: K) -> V | None:
        """The value of a key, or `None` if it is not cached."""
        young_value = self._young.get(key)
        return self._old.get(key) if young_value is None else young_value

    def put(self, key: K, value: V) -> None:
        """Cache a value in place of the previous one; a value that is too heavy is not cached."""
        weight = self._weigh(value)
        if weight > self._max_weight * _MAX_SHARE:
            self.drop(key)
            return
        previous_value = self._young.pop(key, None)
        self._room -= weight if previous_value is None else weight - self._weigh(previous_value)
        if self._room < 0:
            self._old, self._young, self._room = self._young, {}, self._max_weight - weight
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Drop the value of a key."""
        self._old.pop(key, None)
        previous_value = self._young.pop(key, None)
        if previous_value is not None:
            self._room += self._weigh(previous_value)
