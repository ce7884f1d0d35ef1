"""OpenTelemetry as an application sets it up, and what reached its exporters."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from threadkeep.backends.observed import ObservedBackend


class Telemetry:
    """Providers of our own, and what reached their exporters."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def wrap(self, inner, **how):
        return ObservedBackend(
            inner, tracer_provider=self.tracers, meter_provider=self.meters, **how
        )

    def spans(self):
        return self.exporter.get_finished_spans()

    def all_metrics(self):
        data = self.reader.get_metrics_data()
        assert data is not None
        return data.to_json()

    def points(self, name):
        """(attributes, point) of a metric, however it was aggregated."""
        data = self.reader.get_metrics_data()
        found = data.resource_metrics if data else []
        scopes = [scope for one in found for scope in one.scope_metrics]
        metrics = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return [
            (dict(p.attributes or {}), p) for metric in metrics for p in metric.data.data_points
        ]

    def shutdown(self):
        self.tracers.shutdown()
        self.meters.shutdown()
