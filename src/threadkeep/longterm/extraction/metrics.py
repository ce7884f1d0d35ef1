"""What learning costs and how far it is behind, as OpenTelemetry metrics.

No attribute comes from what is stored or read: no text, id, session or user.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Final

from threadkeep.core.gauges import GaugeSources
from threadkeep.errors import MissingExtra
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.scheduler import Backlog

try:
    from opentelemetry import metrics
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
except ImportError as error:
    raise MissingExtra(
        'telemetry needs a package that is not installed: pip install "threadkeep[otel]"'
    ) from error

_BOUNDS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_TYPE: Final = "threadkeep.token.type"
_KIND: Final = "threadkeep.kind"
_ERROR: Final = "error.type"


class ExtractionMetrics:
    """The meters of one learner.

    Args:
        backlog: a bound method that says what is unread; its object is not kept alive.
        meters: instead of the global provider.
    """

    def __init__(self, backlog: Callable[[], Backlog], meters: MeterProvider | None = None) -> None:
        meter = metrics.get_meter("threadkeep", meter_provider=meters)
        self._duration = meter.create_histogram(
            "threadkeep.learning.duration",
            unit="s",
            description="How long it took to read a batch",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )
        self._failures = meter.create_counter(
            "threadkeep.learning.failures", unit="{batch}", description="Batches read in vain"
        )
        self._calls = meter.create_counter(
            "threadkeep.learning.calls", unit="{call}", description="Calls to the model"
        )
        self._tokens = meter.create_counter(
            "threadkeep.learning.tokens", unit="{token}", description="Tokens of these calls"
        )
        self._entries = meter.create_counter(
            "threadkeep.learning.learned", unit="{entry}", description="What was learned"
        )
        self._backlog = weakref.WeakMethod(backlog)
        _EXTRACTORS.add(self, meters)
        _register_gauges(meter, meters)

    def backlog(self) -> Backlog | None:
        """What is unread; `None` = the learner is gone."""
        backlog_reader = self._backlog()
        return None if backlog_reader is None else backlog_reader()

    def record(self, report: Report, seconds: float) -> None:
        """Count what came of one batch; nothing where there was none to read."""
        if not (report.batches or report.failures):
            return
        error_attributes = {_ERROR: report.errors[0]} if report.errors else {}
        self._duration.record(seconds, error_attributes)
        if report.failures:
            self._failures.add(report.failures, error_attributes)
        self._calls.add(report.calls)
        for token_type, token_count in (
            ("input", report.prompt_tokens),
            ("output", report.completion_tokens),
        ):
            self._tokens.add(token_count, {_TYPE: token_type})
        for entry_kind in ("facts", "instructions", "summaries"):
            self._entries.add(getattr(report, entry_kind), {_KIND: entry_kind})


_EXTRACTORS: Final[GaugeSources[ExtractionMetrics]] = GaugeSources(metrics.get_meter_provider)


def _register_gauges(meter: Meter, meters: MeterProvider | None) -> None:
    """Have all learners asked for their backlog whenever metrics are collected."""

    def backlogs() -> list[Backlog]:
        extractor_backlogs = (extractor.backlog() for extractor in _EXTRACTORS.of(meters))
        return [backlog for backlog in extractor_backlogs if backlog is not None]

    def lag(_: CallbackOptions) -> Iterable[Observation]:
        extractor_backlogs = backlogs()
        return (
            [Observation(max(backlog.seconds for backlog in extractor_backlogs))]
            if extractor_backlogs
            else []
        )

    def sessions(_: CallbackOptions) -> Iterable[Observation]:
        extractor_backlogs = backlogs()
        return (
            [Observation(sum(backlog.sessions for backlog in extractor_backlogs))]
            if extractor_backlogs
            else []
        )

    meter.create_observable_gauge(
        "threadkeep.learning.lag",
        callbacks=[lag],
        unit="s",
        description="How long ago the oldest unread message of this process was said",
    )
    meter.create_observable_gauge(
        "threadkeep.learning.backlog",
        callbacks=[sessions],
        unit="{session}",
        description="Sessions of this process with something unread",
    )
