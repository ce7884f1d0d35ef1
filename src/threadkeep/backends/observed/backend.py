"""The wrapper: delegates each call to the inner store and records it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from threadkeep.backends.observed.instruments import Instruments, Meters, Tracers
from threadkeep.protocols import Backend, SupportsDescribe, SupportsPurge
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class ObservedBackend:
    """Wraps a store and records an OpenTelemetry span and metrics for each call.

    If the application has not set up an SDK, nothing is recorded and the overhead is small.

    Args:
        inner: the store. This object owns it and closes it.
        name: the store's name in spans and metrics; default: the name of its class.
        tracer_provider: used instead of the global one.
        meter_provider: used instead of the global one.

    Raises:
        MissingExtra: `opentelemetry-api` is not installed.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        name: str | None = None,
        tracer_provider: Tracers | None = None,
        meter_provider: Meters | None = None,
    ) -> None:
        self.blocking = inner.blocking
        self.inner = inner
        self._closed = False
        reference = weakref.ref(self)  # a meter keeps its callbacks for ever

        def in_use() -> int | None:
            backend = reference()
            return backend.in_use if backend else None

        store = name or type(inner).__name__
        self._instruments = Instruments(store, in_use, tracer_provider, meter_provider)

    def __repr__(self) -> str:
        return f"ObservedBackend({self.inner!r})"

    @property
    def in_use(self) -> int | None:
        """The number of pool connections in use; `None` = no pool, or closed."""
        return None if self._closed else getattr(self.inner, "in_use", None)

    def purge(self, now: float) -> list[str]:
        """Purge the store."""
        return list(self.inner.purge(now)) if isinstance(self.inner, SupportsPurge) else []

    def describe(self) -> dict[str, str]:
        """Describe the store."""
        return dict(self.inner.describe()) if isinstance(self.inner, SupportsDescribe) else {}

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._instruments.call("read") as call:
            call.count("queries", len(queries))
            pages = self.inner.read(*queries, now=now)
            call.records = sum(len(page.records) for page in pages)
            return pages

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        with self._instruments.call("commit") as call:
            call.count("drops", len(drop))
            committed = self.inner.commit(
                stream, put=put, drop=drop, ttl=ttl, expect=expect, token=token, now=now
            )
            call.records = len(put)
            return committed

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        with self._instruments.call("streams"):
            return self.inner.streams(prefix, cursor=cursor, limit=limit)

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._instruments.call("sweep") as call:
            swept = self.inner.sweep(now, limit)
            call.count("swept", swept)
            return swept

    def close(self) -> None:
        """Close the store."""
        self._closed = True
        self.inner.close()
