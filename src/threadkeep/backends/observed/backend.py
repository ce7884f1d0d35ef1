"""The wrapper: records each call of the four verbs."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from threadkeep.backends.common.wrapper import BackendWrapper
from threadkeep.backends.observed.instruments import Instruments, Meters, Tracers
from threadkeep.protocols import Backend
from threadkeep.types import Commit, Drop, Page, Query, Record


class ObservedBackend(BackendWrapper):
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
        super().__init__(inner)
        self._closed = False
        reference = weakref.ref(self)  # a meter keeps its callbacks for ever

        def in_use() -> int | None:
            backend = reference()
            return backend.in_use if backend else None

        store_name = name or type(inner).__name__
        self._instruments = Instruments(store_name, in_use, tracer_provider, meter_provider)

    @property
    def in_use(self) -> int | None:
        """The number of pool connections in use; `None` = no pool, or closed."""
        return None if self._closed else getattr(self.inner, "in_use", None)

    def read(self, *queries: Query, now: float) -> list[Page]:
        with self._instruments.call("read") as observed_call:
            observed_call.count("queries", len(queries))
            pages = super().read(*queries, now=now)
            observed_call.records = sum(len(page.records) for page in pages)
            return pages

    def commit(
        self, stream: str, *, put: Sequence[Record] = (), drop: Sequence[Drop] = (), **how: Any
    ) -> Commit:
        with self._instruments.call("commit") as observed_call:
            observed_call.count("drops", len(drop))
            commit = super().commit(stream, put=put, drop=drop, **how)
            observed_call.records = len(put)
            return commit

    def streams(self, prefix: str, **how: Any) -> tuple[list[str], Any]:
        with self._instruments.call("streams"):
            return super().streams(prefix, **how)

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._instruments.call("sweep") as observed_call:
            swept_count = super().sweep(now, limit)
            observed_call.count("swept", swept_count)
            return swept_count

    def close(self) -> None:
        """Close the store."""
        self._closed = True
        super().close()
