"""Registry of the live objects that a gauge reads, by meter provider."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _GaugeEntry(NamedTuple):
    source: weakref.ref[object]
    provider: object | None


class GaugeSources(Generic[T]):
    """The live sources of a gauge, held by weak references.

    An SDK keeps the first callback of a gauge and ignores later ones, so each callback has to read
    every source of its provider. Thread-safe and fork-safe without a lock: each step on the table
    is atomic.

    Args:
        current: returns the global provider, which `None` stands for; it may be set late.
    """

    def __init__(self, current: Callable[[], object]) -> None:
        self._current = current
        self._entries: dict[int, _GaugeEntry] = {}

    def add(self, source: T, provider: object | None) -> None:
        """Read this source from now on, until it is garbage-collected."""
        source_key, entries = id(source), self._entries

        def remove(_: object) -> None:
            entries.pop(source_key, None)

        entries[source_key] = _GaugeEntry(weakref.ref(source, remove), provider)

    def of(self, provider: object | None) -> list[T]:
        """The sources that report to a provider."""
        resolved_provider = self._resolve(provider)
        return [
            source  # type: ignore[misc]  # only T were added
            for gauge_entry in [*self._entries.values()]
            if self._resolve(gauge_entry.provider) is resolved_provider
            and (source := gauge_entry.source()) is not None
        ]

    def _resolve(self, provider: object | None) -> object:
        return self._current() if provider is None else provider
