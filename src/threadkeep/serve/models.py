"""`/v1/models`, passed through, and the routes of the proxy."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from threadkeep.serve import chat_proxy, responses_proxy
from threadkeep.serve.door import path_id
from threadkeep.serve.principal import principal_of
from threadkeep.serve.proxy_state import proxy_of


async def models(request: Request) -> Response:
    """`GET /v1/models` and `GET /v1/models/{id}`."""
    principal_of(request, "read")
    proxy = proxy_of(request)
    id_path = f"/{quote(path_id(request), safe='/')}" if request.path_params else ""
    answer = await proxy.upstream.send("GET", f"/models{id_path}")
    try:
        return JSONResponse(await proxy.upstream.read_object(answer))
    finally:
        await answer.aclose()


ROUTES: Final = [
    Route("/v1/responses", responses_proxy.create, methods=["POST"]),
    Route("/v1/chat/completions", chat_proxy.complete, methods=["POST"]),
    Route("/v1/models", models, methods=["GET"]),
    Route("/v1/models/{id:path}", models, methods=["GET"]),
]
