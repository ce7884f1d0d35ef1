"""Counts the calls of a store that an engine makes; one for each engine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.protocols import Backend, SupportsPurge
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

_BUCKETS: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class StoreMetrics:
    """The metrics of one store; a component of its engine, whose calls pass through it."""

    def __init__(self, engine: Engine) -> None:
        self.registry = CollectorRegistry()
        self._duration = Histogram(
            "threadkeep_store_operation_duration_seconds",
            "Seconds of a call to the store",
            ["operation", "outcome"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        engine.observed = MeteredBackend(engine.backend, self)

    @contextmanager
    def call(self, operation: str) -> Iterator[None]:
        """Count a call; a conflict is no failure: somebody else was faster."""
        started_at, outcome = time.perf_counter(), "ok"
        try:
            yield
        except Conflict:
            outcome = "conflict"
            raise
        except BaseException:
            outcome = "error"
            raise
        finally:
            seconds = time.perf_counter() - started_at
            self._duration.labels(operation, outcome).observe(seconds)


class MeteredBackend:
    """Hands each call on to a store, and counts it; it does not own the store."""

    def __init__(self, inner: Backend, metrics: StoreMetrics) -> None:
        self.blocking = inner.blocking
        self.inner = inner
        self._metrics = metrics

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._metrics.call("read"):
            return self.inner.read(*queries, now=now)

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
        with self._metrics.call("commit"):
            return self.inner.commit(
                stream, put=put, drop=drop, ttl=ttl, expect=expect, token=token, now=now
            )

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        with self._metrics.call("streams"):
            return self.inner.streams(prefix, cursor=cursor, limit=limit)

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._metrics.call("sweep"):
            return self.inner.sweep(now, limit)

    def purge(self, now: float) -> list[str]:
        """Purge the store."""
        with self._metrics.call("purge"):
            if isinstance(self.inner, SupportsPurge):
                return list(self.inner.purge(now))
            return ["the store's own files"]

    def close(self) -> None:
        """The store stays open: its engine closes it."""
