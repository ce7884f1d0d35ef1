"""Counts the calls of a store that an engine makes; one for each engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from prometheus_client import CollectorRegistry, Histogram

from threadkeep.backends.common.wrapper import BackendWrapper
from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.protocols import Backend

P = ParamSpec("P")
R = TypeVar("R")

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


class MeteredBackend(BackendWrapper):
    """Counts each call of a store; does not own the store."""

    def __init__(self, inner: Backend, metrics: StoreMetrics) -> None:
        super().__init__(inner)
        self._metrics = metrics

    def close(self) -> None:
        """The store stays open: its engine closes it."""

    def _call(self, operation: str, verb: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        with self._metrics.call(operation):
            return verb(*args, **kwargs)
