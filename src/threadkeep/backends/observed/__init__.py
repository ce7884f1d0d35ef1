"""A wrapper that records OpenTelemetry spans and metrics of any store; extra `otel`."""

from threadkeep.backends.observed.backend import ObservedBackend

__all__ = ["ObservedBackend"]
