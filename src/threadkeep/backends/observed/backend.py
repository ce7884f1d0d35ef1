"""The wrapper: each verb is the inner store's, and watched."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from threadkeep.backends.observed.instruments import Instruments, Meters, Tracers
from threadkeep.protocols import Backend
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class ObservedBackend:
    """Any store, with an OpenTelemetry span and metrics for each call to it.

    Without an SDK that the application has set up, nothing is recorded and little is spent.

    Args:
        inner: the store. It belongs to this object from now on, and is closed with it.
        name: what the store is called in spans and metrics; else the name of its class.
        tracer_provider: instead of the global one.
        meter_provider: instead of the global one.

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
        me = weakref.ref(self)  # a meter forgets nobody who asked to be called

        def lent() -> int | None:
            found = me()
            return found.in_use if found else None

        store = name or type(inner).__name__
        self._watch = Instruments(store, lent, tracer_provider, meter_provider)

    def __repr__(self) -> str:
        return f"ObservedBackend({self.inner!r})"

    @property
    def in_use(self) -> int | None:
        """How many connections of the store's pool are lent; `None` = it has no pool, or closed."""
        return None if self._closed else getattr(self.inner, "in_use", None)

    def purge(self, now: float) -> list[str]:
        """As the store itself does."""
        purge = getattr(self.inner, "purge", None)
        return [] if purge is None else list(purge(now))

    def describe(self) -> dict[str, str]:
        """What the store says of itself."""
        describe = getattr(self.inner, "describe", dict)
        return dict(describe())

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._watch.call("read") as call:
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
        with self._watch.call("commit") as call:
            call.count("drops", len(drop))
            done = self.inner.commit(
                stream, put=put, drop=drop, ttl=ttl, expect=expect, token=token, now=now
            )
            call.records = len(put)
            return done

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        with self._watch.call("streams"):
            return self.inner.streams(prefix, cursor=cursor, limit=limit)

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._watch.call("sweep") as call:
            swept = self.inner.sweep(now, limit)
            call.count("swept", swept)
            return swept

    def close(self) -> None:
        """Close the store."""
        self._closed = True
        self.inner.close()
