"""Probes, and the start page with the exchange of the one-time token."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from threadkeep.api.memory import Memory
from threadkeep.serve.cookies import exchange_token, redirect_with_cookie
from threadkeep.serve.principal import COOKIE, principal_of


async def health(request: Request) -> Response:
    """`GET /health`: the process answers; needs no key, and says nothing else."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """`GET /ready`: the store answers within a second; needs no key, and names no store."""
    memory: Memory = request.app.state.memory
    store_check = await memory.acheck(timeout=1.0)
    status = 200 if store_check.ok else 503
    return JSONResponse({"status": "ok" if store_check.ok else "unavailable"}, status)


async def start(request: Request) -> Response:
    """`GET /`: swaps the one-time token for a cookie; with it, says what is served."""
    token = request.query_params.get("token")
    if token is not None:
        cookie = exchange_token(request.app.state.authenticator, token)
        url = request.scope.get("root_path", "") + "/"
        return redirect_with_cookie(request, url, COOKIE, cookie)
    principal = principal_of(request, "read")
    return JSONResponse({"object": "server", "name": "threadkeep", "user": principal.user})


ROUTES: Final = [
    Route("/", start, methods=["GET"]),
    Route("/health", health, methods=["GET"]),
    Route("/ready", ready, methods=["GET"]),
]
