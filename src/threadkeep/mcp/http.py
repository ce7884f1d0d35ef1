"""The tools over streamable HTTP, behind the door and the keys of `threadkeep serve`."""

from __future__ import annotations

from collections.abc import Iterable

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from threadkeep.api.memory import Memory
from threadkeep.core.user_id import UserId
from threadkeep.mcp.server import PRINCIPAL, ToolServer, build
from threadkeep.serve.application import Keys, authenticator_of, door_middleware
from threadkeep.serve.door import LOOPBACK_HOSTS, Limits, read_body
from threadkeep.serve.errors import ApiError, respond
from threadkeep.serve.principal import principal_of


class Authentication:
    """ASGI middleware that refuses requests without a key, and notes whose the others are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate a request, and hand it on."""
        if scope["type"] == "http":
            try:
                principal = principal_of(HTTPConnection(scope), None)
            except ApiError as error:
                await respond(error)(scope, receive, send)
                return
            scope = {**scope, "state": {**scope.get("state", {}), PRINCIPAL: principal}}
        await self._app(scope, receive, send)


class BoundedBody:
    """ASGI middleware that hands a request on when its body is there, in time and not too large."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body of a request, and hand both on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(Request(scope, receive), self._limits)
        except ClientDisconnect:
            return
        except ApiError as error:
            await respond(error)(scope, receive, send)
            return
        await self._app(scope, _received(body, receive), send)


def _received(body: bytes, receive: Receive) -> Receive:
    """A channel that begins with a whole body."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_next() -> Message:
        return messages.pop() if messages else await receive()

    return receive_next


def app(
    memory: Memory,
    *,
    keys: Keys,
    user: UserId | None = None,
    allow_erase: bool = False,
    hosts: Iterable[str] = LOOPBACK_HOSTS,
    origins: Iterable[str] = (),
    limits: Limits | None = None,
) -> Starlette:
    """An ASGI application that serves the tools at `/mcp`; each key reaches its own user.

    Run it by itself: it has a lifespan, which a mount in another application does not run.

    Args:
        memory: what is served; it stays the caller's to close.
        keys: the path of a file of keys, or an `Authenticator`.
        user: whose memory keys without a user reach.
        allow_erase: let `forget` erase facts, which it otherwise hides.
        hosts: the names that clients use for this server, without a port.
        origins: web pages of other origins that may send requests; there is no CORS.
        limits: bounds of sizes, times and concurrency.

    Raises:
        ConfigError: the file of keys cannot be used; it says why.
    """
    request_limits = limits or Limits()
    tool_server = ToolServer(memory, user, allow_erase=allow_erase, is_http=True)
    tool_application = build(tool_server, allow_erase).streamable_http_app(
        stateless_http=True,  # whose a request is, is said by its own key and nothing else
        json_response=True,
        max_request_body_size=min(request_limits.body, 4_000_000),
        # the door checks Host and Origin, by its own lists
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    application = Starlette(
        routes=[Mount("/", tool_application)],
        lifespan=tool_application.router.lifespan_context,
        middleware=[
            door_middleware(hosts, origins, request_limits),
            Middleware(Authentication),
            Middleware(BoundedBody, limits=request_limits),
        ],
    )
    application.state.authenticator = authenticator_of(keys)
    return application
