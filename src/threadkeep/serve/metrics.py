"""`GET /metrics` in Prometheus' text format: requests, streams, the upstream and the store.

Labels are of a fixed set: templates of routes, methods, statuses, operations and classes of
errors. None holds a path, an id, a user or a text.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from threadkeep.serve.door import with_encoded_slashes
from threadkeep.serve.principal import principal_of
from threadkeep.serve.store_metrics import StoreMetrics

SCOPE: Final = "metrics"
OTHER: Final = "other"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_EVENTS: Final = b"text/event-stream"


class ServerMetrics:
    """The metrics of one application.

    Attributes:
        upstream_failures: by reason: `timeout`, `unreachable`, `status`, `broken`.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.upstream_failures = Counter(
            "threadkeep_upstream_failures",
            "Requests to the upstream that failed, or broke off",
            ["reason"],
            registry=self.registry,
        )
        self._requests = Counter(
            "threadkeep_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._duration = Histogram(
            "threadkeep_http_request_duration_seconds",
            "Seconds from the head of a request to the end of its answer",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._active = Gauge(
            "threadkeep_http_requests_active", "Requests worked on", registry=self.registry
        )
        self._streams = Gauge(
            "threadkeep_http_streams_open", "Answers that are streamed", registry=self.registry
        )

    def upstream_failed(self, reason: str) -> None:
        """Count a failure of the upstream."""
        self.upstream_failures.labels(reason).inc()

    def begin(self) -> RequestMeter:
        """Note a request that comes in."""
        self._active.inc()
        return RequestMeter(self)

    def end(self, meter: RequestMeter, method: str, route: str) -> None:
        """Note that a request was answered, or given up."""
        self._active.dec()
        if meter.is_stream:
            self._streams.dec()
        self._requests.labels(method, route, meter.status).inc()
        self._duration.labels(method, route).observe(time.perf_counter() - meter.began)

    def begin_stream(self) -> None:
        """Note that an answer is streamed."""
        self._streams.inc()


class RequestMeter:
    """One request under way.

    Attributes:
        began: on the clock of `time.perf_counter`.
        status: of its answer; `aborted` = there was none.
        is_stream: whether it is answered by a stream of events.
    """

    def __init__(self, metrics: ServerMetrics) -> None:
        self._metrics = metrics
        self.began = time.perf_counter()
        self.status = "aborted"
        self.is_stream = False

    def answered(self, message: Message) -> None:
        """Take note of the head of the answer."""
        self.status = str(message["status"])
        types = [value for name, value in message.get("headers", ()) if name == b"content-type"]
        if not self.is_stream and any(content_type.startswith(_EVENTS) for content_type in types):
            self.is_stream = True
            self._metrics.begin_stream()


class Metered:
    """ASGI middleware that counts every request, also those that are refused at the door.

    Args:
        app: what answers.
        metrics: what counts.
        routes: those of the application, whose templates are labels.
    """

    def __init__(self, app: ASGIApp, metrics: ServerMetrics, routes: Sequence[BaseRoute]) -> None:
        self._app, self._metrics, self._routes = app, metrics, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request, and hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        route = route_of(scope, self._routes)
        meter = self._metrics.begin()

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                meter.answered(message)
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._metrics.end(meter, method, route)


def route_of(scope: Scope, routes: Sequence[BaseRoute]) -> str:
    """The template of a request's route, such as `/v1/responses/{id}`; `other` = there is none."""
    template: Any = OTHER
    decoded_scope = with_encoded_slashes(dict(scope))
    for route in routes:
        route_match, _ = route.matches(decoded_scope)
        if route_match is not Match.NONE:
            template = getattr(route, "path", OTHER)
        if route_match is Match.FULL:
            break
    return str(template)


async def metrics(request: Request) -> Response:
    """`GET /metrics`: needs a key with the scope `metrics`, which `admin` includes."""
    principal_of(request, SCOPE)
    server_metrics: ServerMetrics = request.app.state.metrics
    store_metrics: StoreMetrics = request.app.state.memory._engine.component(StoreMetrics)
    exposition = generate_latest(server_metrics.registry) + generate_latest(store_metrics.registry)
    return Response(exposition, headers={"content-type": CONTENT_TYPE_LATEST})


ROUTES: Final = [Route("/metrics", metrics, methods=["GET"])]
