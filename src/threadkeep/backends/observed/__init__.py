"""Spans and metrics of a store, as a wrapper over any; needs the extra `otel`."""

from threadkeep.backends.observed.backend import ObservedBackend

__all__ = ["ObservedBackend"]
