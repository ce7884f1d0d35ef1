"""A bounded memory of what was seen last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

AGE: Final = 60.0
"""Seconds until what is known of a stream is read anew, whatever its version: a store that was set
back repeats those."""

_LARGEST: Final = 1 / 8  # of the room: what is heavier would drive too much else out


class GenerationalCache(Generic[K, V]):
    """What was put last, of twice `room` in weight at most; for any number of threads.

    Two generations, so that nothing is locked: what none of them holds is forgotten.

    Args:
        room: how much a generation holds.
        weigh: what a value weighs; 1 unless told otherwise.
    """

    def __init__(self, room: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self._most = room
        self._weigh = weigh
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._room = self._most

    def get(self, key: K) -> V | None:
        """What was put last under a key, unless it was forgotten."""
        found = self._young.get(key)
        return self._old.get(key) if found is None else found

    def put(self, key: K, value: V) -> None:
        """Remember it, in the place of what was there; nothing, if it is too heavy."""
        weight = self._weigh(value)
        if weight > self._most * _LARGEST:
            self.drop(key)
            return
        before = self._young.pop(key, None)
        self._room -= weight if before is None else weight - self._weigh(before)
        if self._room < 0:
            self._old, self._young, self._room = self._young, {}, self._most - weight
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget one."""
        self._old.pop(key, None)
        before = self._young.pop(key, None)
        if before is not None:
            self._room += self._weigh(before)
