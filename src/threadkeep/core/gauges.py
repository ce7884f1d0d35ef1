"""Which objects a gauge is read from: all that live, on whichever meter provider they report."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Entry(NamedTuple):
    source: weakref.ref[object]
    provider: object | None


class Sources(Generic[T]):
    """The living sources of a gauge; none is kept alive.

    An SDK keeps the first callback of a gauge and ignores those that come later, so each callback
    has to read every source of its provider. Threads may add while others read, and a forked child
    goes on with what its parent had: no lock is held, each step on the table is atomic.

    Args:
        current: the global provider of this moment, for which `None` stands; it may be set late.
    """

    def __init__(self, current: Callable[[], object]) -> None:
        self._current = current
        self._entries: dict[int, _Entry] = {}

    def add(self, source: T, provider: object | None) -> None:
        """From now on it is read, until it is collected."""
        key, entries = id(source), self._entries

        def remove(_: object) -> None:
            entries.pop(key, None)

        entries[key] = _Entry(weakref.ref(source, remove), provider)

    def of(self, provider: object | None) -> list[T]:
        """Those that report on this provider."""
        resolved = self._resolve(provider)
        return [
            source  # type: ignore[misc]  # what was added is a T
            for entry in [*self._entries.values()]
            if self._resolve(entry.provider) is resolved and (source := entry.source()) is not None
        ]

    def _resolve(self, provider: object | None) -> object:
        return self._current() if provider is None else provider
