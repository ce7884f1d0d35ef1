"""The endpoints of users: search, and erasure."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from threadkeep.api.memory import Memory
from threadkeep.api.user import User
from threadkeep.longterm.recall.hits import Hit
from threadkeep.serve.calls import call
from threadkeep.serve.door import path_id
from threadkeep.serve.entries import item_to_entries
from threadkeep.serve.errors import ApiError
from threadkeep.serve.pages import limit_of
from threadkeep.serve.principal import principal_of, scope_of

_MAX_QUERY: Final = 4_000
_CONDITIONS: Final = ("session", "role", "since", "until")


async def search(request: Request) -> Response:
    """`GET /v1/search?q=`: what the user said, and what is known of them; the best first."""
    user = scope_of(request, "read")
    if not isinstance(user, User):
        raise ApiError(400, "the key names no user: pass ?user=", param="user")
    parameters = request.query_params
    query = parameters.get("q", "")
    if not 1 <= len(query) <= _MAX_QUERY:
        raise ApiError(400, f"q must have 1 to {_MAX_QUERY:,} characters", param="q")
    conditions: dict[str, Any] = {
        name: parameters[name]
        for name in ("session", "role", "since", "until")
        if name in parameters
    }
    hits = await call(request, partial(user.recall, query, limit_of(request, 10), **conditions))
    return JSONResponse(
        {"object": "list", "data": [hit_body(hit) for hit in hits], "complete": hits.complete}
    )


async def forget(request: Request) -> Response:
    """`DELETE /v1/users/{id}`: everything of a user; answers with the report of the erasure."""
    principal = principal_of(request, "write")
    user_name = path_id(request)
    if principal.user != user_name and not principal.may("admin"):
        raise ApiError(403, "another user's data needs the scope 'admin'", code="forbidden")
    memory: Memory = request.app.state.memory
    purge = request.query_params.get("purge", "true") != "false"
    report = await call(request, partial(memory.user(user_name).forget, purge=purge))
    return JSONResponse(
        {
            "id": user_name,
            "object": "user.deleted",
            "deleted": True,
            "records": int(report),
            "sessions": report.sessions,
            "beyond": list(report.beyond),
        }
    )


def hit_body(hit: Hit) -> dict[str, Any]:
    """A hit as JSON: an item with its conversation, or a fact."""
    hit_fields: dict[str, Any] = {
        "object": "search.hit",
        "score": hit.score,
        "conversation": hit.session,
        "text": hit.text,
        "item": None,
        "fact": None,
    }
    if hit.item is not None:
        hit_fields["item"] = item_to_entries(hit.item)[0]
    if hit.fact is not None:
        hit_fields["fact"] = {"id": hit.fact.id, "text": hit.fact.text, "status": hit.fact.status}
    return hit_fields


ROUTES: Final = [
    Route("/v1/search", search, methods=["GET"]),
    Route("/v1/users/{id}", forget, methods=["DELETE"]),
]
