"""The application: its life, its probes, and what its errors are over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from openai import AsyncOpenAI

import threadkeep
from examples.fastapi_chat import chats, people
from examples.fastapi_chat.settings import Settings, from_environment
from threadkeep.errors import BackendError, Conflict, InputError, NotFound, NotOwner

_STATUS = {NotOwner: 403, NotFound: 404, Conflict: 409, InputError: 422, BackendError: 503}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; settings come from the environment unless given."""
    settings = settings or from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # One Memory for each worker process, closed with it: threads and connections are its own.
        memory = threadkeep.connect(
            settings.url, pool_size=settings.pool_size, timeout=settings.timeout
        )
        async with memory, AsyncOpenAI() as client:
            app.state.memory, app.state.client = memory, client
            yield

    app = FastAPI(title="Chat", lifespan=lifespan)
    app.state.settings = settings
    app.include_router(chats.router)
    app.include_router(people.router)
    app.add_api_route("/live", _live)
    app.add_api_route("/ready", _ready)
    for error in _STATUS:
        app.add_exception_handler(error, _refuse)
    return app


async def _live() -> dict[str, bool]:
    """Whether the process runs: a store that is down is no reason to restart it."""
    return {"ok": True}


async def _ready(request: Request, response: Response) -> dict[str, object]:
    """Whether requests can be served now; names no host, for who may ask."""
    report = await request.app.state.memory.acheck(timeout=0.8)
    response.status_code = 200 if report.ok else 503
    return {"ok": report.ok, "version": report.version}


async def _refuse(request: Request, error: Exception) -> Response:
    """What a client is told; the text of an error of the store belongs in the log alone."""
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    if isinstance(error, BackendError) and status == 503:
        return JSONResponse({"detail": "the store does not answer"}, 503, {"Retry-After": "2"})
    return JSONResponse({"detail": str(error)}, status)
