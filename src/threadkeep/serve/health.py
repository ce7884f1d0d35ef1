"""Probes, and the start page with the exchange of the one-time token."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from threadkeep.api.memory import Memory
from threadkeep.serve.errors import ApiError
from threadkeep.serve.principal import RunKey, cookie_name, principal_of


async def health(request: Request) -> Response:
    """`GET /health`: the process answers; needs no key, and says nothing else."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """`GET /ready`: the store answers within a second; needs no key, and names no store."""
    memory: Memory = request.app.state.memory
    check = await memory.acheck(timeout=1.0)
    status = 200 if check.ok else 503
    return JSONResponse({"status": "ok" if check.ok else "unavailable"}, status)


async def start(request: Request) -> Response:
    """`GET /`: swaps the one-time token for a cookie; with it, says what is served."""
    token = request.query_params.get("token")
    if token is not None:
        return _with_cookie(request, token)
    principal = principal_of(request, "read")
    return JSONResponse({"object": "server", "name": "threadkeep", "user": principal.user})


def _with_cookie(request: Request, token: str) -> Response:
    authenticator = request.app.state.authenticator
    cookie = authenticator.exchange(token) if isinstance(authenticator, RunKey) else None
    if cookie is None:
        raise ApiError(401, "the token is wrong, or was used already", code="invalid_token")
    response = RedirectResponse(request.scope.get("root_path", "") + "/", 303)
    response.set_cookie(
        cookie_name(request),
        cookie,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


ROUTES: Final = [
    Route("/", start, methods=["GET"]),
    Route("/health", health, methods=["GET"]),
    Route("/ready", ready, methods=["GET"]),
]
