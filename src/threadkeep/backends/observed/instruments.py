"""Records one span and a few metrics per call; the only module that uses OpenTelemetry.

Attributes never contain stored data: no body, id, stream, user, session, URL or error message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from threadkeep.core.gauges import GaugeSources
from threadkeep.errors import Conflict, MissingExtra

try:
    from opentelemetry import metrics, trace
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
except ImportError as error:
    raise MissingExtra(
        'telemetry needs a package that is not installed: pip install "threadkeep[otel]"'
    ) from error

_SCOPE: Final = "threadkeep"
_STORE: Final = "threadkeep.store"
_OPERATION: Final = "threadkeep.operation"
_ERROR: Final = "error.type"
_BOUNDS: Final = (
    *(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03),
    *(0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
)

Tracers = TracerProvider
Meters = MeterProvider
ConnectionCount = Callable[[], int | None]


class ObservedCall:
    """A running call, to which the wrapper adds numbers."""

    __slots__ = ("_span", "records")

    def __init__(self, span: Span) -> None:
        self._span = span
        self.records = 0

    def count(self, name: str, number: int) -> None:
        """Set a numeric attribute of the span."""
        self._span.set_attribute(f"threadkeep.{name}", number)


class Instruments:
    """The tracer and the metric instruments of one store."""

    def __init__(
        self,
        store: str,
        in_use: ConnectionCount,
        tracers: Tracers | None,
        meters: Meters | None,
    ) -> None:
        self._store = store
        self._in_use = in_use
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracers)
        meter = metrics.get_meter(_SCOPE, meter_provider=meters)
        self._duration = meter.create_histogram(
            "threadkeep.operation.duration",
            unit="s",
            description="How long the store took for a call",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )
        self._errors = meter.create_counter(
            "threadkeep.operation.errors", unit="{error}", description="Calls that failed"
        )
        self._active = meter.create_up_down_counter(
            "threadkeep.operation.active", unit="{call}", description="Calls under way"
        )
        self._records = meter.create_counter(
            "threadkeep.records", unit="{record}", description="Records read or written"
        )
        _POOLS.add(self, meters)
        _watch_pools(meter, meters)

    def usage(self) -> tuple[str, int] | None:
        """The store and the number of its pool connections in use; `None` = there is no pool."""
        in_use_count = None
        with suppress(Exception):  # an error of one store does not hide the others
            in_use_count = self._in_use()
        return (self._store, in_use_count) if isinstance(in_use_count, int) else None

    @contextmanager
    def call(self, operation: str) -> Iterator[ObservedCall]:
        """Record a call; its exceptions propagate."""
        attributes: dict[str, Any] = {_OPERATION: operation, _STORE: self._store}
        start_time = time.perf_counter()
        self._active.add(1, attributes)
        with self._tracer.start_as_current_span(
            f"threadkeep.{operation}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # its message may name a session
            set_status_on_exception=False,
        ) as span:
            observed_call = ObservedCall(span)
            failure: dict[str, Any] = {}
            try:
                yield observed_call
            except BaseException as error:
                failure = {_ERROR: type(error).__name__}
                self._record_failure(span, error, {**attributes, **failure})
                raise
            finally:
                self._active.add(-1, attributes)
                self._duration.record(time.perf_counter() - start_time, {**attributes, **failure})
                if observed_call.records:
                    self._records.add(observed_call.records, attributes)
                    observed_call.count("records", observed_call.records)

    def _record_failure(self, span: Span, error: BaseException, attributes: dict[str, Any]) -> None:
        span.set_attribute(_ERROR, type(error).__name__)
        self._errors.add(1, attributes)
        if not isinstance(error, Conflict):  # a concurrent write won: a normal result, no fault
            span.set_status(Status(StatusCode.ERROR))


_POOLS: Final[GaugeSources[Instruments]] = GaugeSources(metrics.get_meter_provider)


def _watch_pools(meter: Meter, meters: Meters | None) -> None:
    """Observe all pools whenever metrics are collected; stores with the same name are summed."""

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        count_by_store: dict[str, int] = {}
        for store_name, count in filter(None, (pool.usage() for pool in _POOLS.of(meters))):
            count_by_store[store_name] = count_by_store.get(store_name, 0) + count
        return [Observation(count, {_STORE: store}) for store, count in count_by_store.items()]

    meter.create_observable_gauge(
        "threadkeep.pool.in_use",
        callbacks=[observe],
        unit="{connection}",
        description="Pool connections in use",
    )
