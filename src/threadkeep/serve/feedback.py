"""The endpoints of feedback, `/v1/feedback`."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from threadkeep.serve.calls import call, check_fields
from threadkeep.serve.door import read_json
from threadkeep.serve.errors import ApiError
from threadkeep.serve.pages import cursor_of, cursor_page, limit_of
from threadkeep.serve.principal import scope_of
from threadkeep.types.responses import Feedback

_FIELDS: Final = ("response", "rating", "comment", "author", "item", "metadata", "id")
_CONDITIONS: Final = (
    "response",
    "conversation",
    "rating",
    "model",
    "author",
    "since",
    "until",
)


def feedback_body(feedback: Feedback) -> dict[str, Any]:
    """Feedback as JSON."""
    created_at = feedback.created_at
    return {
        **asdict(feedback),
        "object": "feedback",
        "created_at": int(created_at.timestamp()) if created_at else None,
    }


async def add(request: Request) -> Response:
    """`POST /v1/feedback`: `response`, `rating`, and the other fields of `Feedback`."""
    collection = scope_of(request, "write").feedback
    body = await read_json(request)
    check_fields(body, _FIELDS)
    for field_name in ("response", "rating"):
        if not isinstance(body.get(field_name), str):
            raise ApiError(400, f"{field_name} is required, and must be a text", param=field_name)
    feedback_fields = {"id": request.headers.get("idempotency-key"), **body}
    response = feedback_fields.pop("response")
    stored_feedback = await call(request, partial(collection.add, response, **feedback_fields))
    return JSONResponse(feedback_body(stored_feedback))


async def list_feedback(request: Request) -> Response:
    """`GET /v1/feedback`: conditions, `limit`, `cursor`."""
    collection = scope_of(request, "read").feedback
    conditions: dict[str, Any] = {
        name: request.query_params[name] for name in _CONDITIONS if name in request.query_params
    }
    page = await call(
        request,
        partial(collection.list, **conditions, limit=limit_of(request), cursor=cursor_of(request)),
    )
    return JSONResponse(cursor_page([feedback_body(feedback) for feedback in page], page.cursor))


ROUTES: Final = [
    Route("/v1/feedback", add, methods=["POST"]),
    Route("/v1/feedback", list_feedback, methods=["GET"]),
]
