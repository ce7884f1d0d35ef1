"""What the endpoints of the proxy share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request

from threadkeep.adapters.windows import Policies
from threadkeep.serve.errors import ApiError
from threadkeep.serve.streaming import Background
from threadkeep.serve.upstream import Upstream


@dataclass(frozen=True, slots=True)
class ProxyState:
    """The upstream, and how its answers are handled.

    Attributes:
        upstream: the server that is asked.
        policies: the window of the context that it gets.
        send_seconds: how long a client may take nothing of a stream.
        background: what is stored even if a client is gone.
    """

    upstream: Upstream
    policies: Policies
    send_seconds: float
    background: Background = field(default_factory=Background)


def proxy_of(request: Request) -> ProxyState:
    """The proxy of the application.

    Raises:
        ApiError: 501: there is no upstream.
    """
    proxy: ProxyState | None = request.app.state.proxy
    if proxy is None:
        raise ApiError(501, "no model is behind this server: start it with --upstream URL")
    return proxy


@asynccontextmanager
async def lifespan(application: Starlette) -> AsyncIterator[None]:
    """At the end, wait for what is being stored, and close the connections."""
    yield
    proxy: ProxyState | None = application.state.proxy
    if proxy is not None:
        await proxy.background.drain()
        await proxy.upstream.aclose()
