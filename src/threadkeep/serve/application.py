"""The ASGI application of `threadkeep serve`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp

from threadkeep.adapters.windows import or_token_limit, parse_window
from threadkeep.api.memory import Memory
from threadkeep.errors import ConfigError, ThreadkeepError
from threadkeep.serve import conversations, feedback, health, metrics, models, responses, users
from threadkeep.serve.door import LOOPBACK_HOSTS, Door, Limits
from threadkeep.serve.errors import ApiError, handle, respond
from threadkeep.serve.keys import KeyFile
from threadkeep.serve.principal import Authenticator
from threadkeep.serve.proxy_state import ProxyState, lifespan
from threadkeep.serve.store_metrics import StoreMetrics
from threadkeep.serve.upstream import Upstream, UpstreamKey

UI_PATH: Final = "/ui"

Keys = str | os.PathLike[str] | Authenticator

_ROUTES: Final = (
    *conversations.ROUTES,
    *responses.ROUTES,
    *feedback.ROUTES,
    *users.ROUTES,
    *models.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
)


def app(
    memory: Memory,
    *,
    keys: Keys,
    hosts: Iterable[str] = LOOPBACK_HOSTS,
    origins: Iterable[str] = (),
    limits: Limits | None = None,
    upstream: str | None = None,
    upstream_key: UpstreamKey = None,
    window: object = None,
    ui: ASGIApp | None = None,
) -> Starlette:
    """An ASGI application that serves a Memory in the shapes of the OpenAI API.

    Conversations, their items, stored responses, feedback, search and users. Run it with any ASGI
    server, or mount it in FastAPI. The Memory stays the caller's to close.

    Args:
        memory: what is served.
        keys: the path of a file of keys (`threadkeep serve keys add`), or an `Authenticator`.
        hosts: the names that clients use for this server, without a port; `*` allows every name.
        origins: web pages of other origins that may send requests; there is no CORS.
        limits: bounds of sizes, times and concurrency.
        upstream: the base URL of an OpenAI-compatible server, up to `/v1`: what it answers on
            `/v1/responses` and `/v1/chat/completions` is stored, and goes on from what is stored.
        upstream_key: its API key; a `Path` is read, and a callable called, for each request.
        window: how much of a conversation the upstream gets: a policy, a list of them, or a dict
            such as `{"max_tokens": 3000}`; else the Memory's own, else 30,000 tokens.
        ui: pages for browsers, served at `/ui`: `threadkeep.ui.app(memory, keys=keys)`, with the
            same keys, hosts and origins.

    Raises:
        ConfigError: the file of keys, the URL or the window cannot be used; it says why.
    """
    check_memory(memory)
    bounds, meters = limits or Limits(), metrics.ServerMetrics()
    routes = [*_ROUTES, *([] if ui is None else [Mount(UI_PATH, ui)])]
    middleware = [
        Middleware(metrics.Metered, metrics=meters, routes=routes),
        door_middleware(hosts, origins, bounds, forms=None if ui is None else UI_PATH),
    ]
    application = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=middleware,
        exception_handlers=_EXCEPTION_HANDLERS,
    )
    memory._engine.component(StoreMetrics)
    state = application.state
    state.memory, state.metrics, state.limits = memory, meters, bounds
    state.proxy = None
    if upstream is not None:
        server = Upstream(upstream, upstream_key, bounds.upstream_seconds, meters.upstream_failed)
        policies = or_token_limit(parse_window(window), memory)
        state.proxy = ProxyState(server, policies, send_seconds=bounds.receive_seconds)
    state.authenticator = authenticator_of(keys)
    return application


def check_memory(memory: object) -> None:
    """Raise `ConfigError` if it is no Memory."""
    if not isinstance(memory, Memory):
        raise ConfigError(f"memory must be a Memory, got {type(memory).__name__}")


def door_middleware(
    hosts: Iterable[str], origins: Iterable[str], limits: Limits, *, forms: str | None = None
) -> Middleware:
    """The door before an application; see `Door`."""
    return Middleware(Door, hosts=tuple(hosts), origins=tuple(origins), limits=limits, forms=forms)


def authenticator_of(keys: object) -> Authenticator:
    """The authenticator for `keys=`.

    Raises:
        ConfigError: it is none, or the file of keys cannot be used.
    """
    if isinstance(keys, str | os.PathLike):
        return KeyFile(keys)
    if isinstance(keys, Authenticator):
        return keys
    raise ConfigError(f"keys must be a path or an Authenticator, got {type(keys).__name__}")


async def _http_error(request: Request, error: Exception) -> Response:
    """Unknown paths and methods, as errors of the API."""
    assert isinstance(error, HTTPException)  # noqa: S101  # how it was registered
    text_by_status = {404: "there is no such endpoint", 405: "the endpoint has no such method"}
    return respond(
        ApiError(
            error.status_code,
            text_by_status.get(error.status_code, "the request was refused"),
            headers=error.headers,
        )
    )


_EXCEPTION_HANDLERS: Final = {
    ApiError: handle,
    ThreadkeepError: handle,
    HTTPException: _http_error,
    Exception: handle,
}
