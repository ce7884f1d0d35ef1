"""The endpoints of stored responses, `/v1/responses/{id}`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from threadkeep.api.responses import Responses
from threadkeep.errors import NotFound
from threadkeep.messages import parse
from threadkeep.serve.calls import call
from threadkeep.serve.door import path_id
from threadkeep.serve.entries import Entry, items_to_entries
from threadkeep.serve.errors import ApiError
from threadkeep.serve.pages import item_page, limit_of
from threadkeep.serve.principal import scope_of
from threadkeep.types.responses import Response

_OURS: Final = "threadkeep_"
IN_CONVERSATION: Final = f"{_OURS}conversation"
"""The extra of a response that the proxy made: the conversation it belongs to; empty = none."""

_DEFAULTS: Final[dict[str, Any]] = {
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "parallel_tool_calls": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
}


def response_body(response: Response) -> dict[str, Any]:
    """A stored response as the OpenAI API has it; what a provider said beside is kept."""
    extra = {key: value for key, value in response.extra.items() if not key.startswith(_OURS)}
    conversation_id = response.extra.get(IN_CONVERSATION, response.conversation)
    created_at = response.created_at
    return {
        **_DEFAULTS,
        **extra,
        "id": response.id,
        "object": "response",
        "created_at": int(created_at.timestamp()) if created_at else 0,
        "status": response.status,
        "model": response.model or "",
        "output": response.output,
        "usage": response.usage,
        "metadata": response.metadata,
        "previous_response_id": response.previous_response_id,
        "conversation": {"id": conversation_id} if conversation_id else None,
        "safety_identifier": response.safety_identifier,
        "store": True,
    }


async def get(request: Request) -> HttpResponse:
    """`GET /v1/responses/{id}`."""
    if request.query_params.get("stream") == "true":
        raise ApiError(400, "a stored response is not streamed again", param="stream")
    responses, id = scope_of(request, "read").responses, path_id(request)
    return JSONResponse(response_body(await call(request, partial(existing, responses, id))))


async def delete(request: Request) -> HttpResponse:
    """`DELETE /v1/responses/{id}`, with its feedback."""
    responses, response_id = scope_of(request, "write").responses, path_id(request)

    def delete_existing() -> None:
        existing(responses, response_id)
        responses.delete(response_id)

    await call(request, delete_existing)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


async def list_input_items(request: Request) -> HttpResponse:
    """`GET /v1/responses/{id}/input_items`: `limit`, `order` (`desc` by default), `after`."""
    responses, response_id = scope_of(request, "read").responses, path_id(request)
    response = await call(request, partial(existing, responses, response_id))
    order = request.query_params.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise ApiError(400, "order must be asc or desc", param="order")
    entries = input_entries(response)
    entries = entries[::-1] if order == "desc" else entries
    entries = _after(entries, request.query_params.get("after"))
    limit = limit_of(request)
    return JSONResponse(item_page(entries[:limit], len(entries) > limit))


def input_entries(response: Response) -> list[Entry]:
    """The input of a response as entries, whose ids are made of the response's where they lack."""
    input_parts = [response.input] if isinstance(response.input, str) else response.input or []
    return [entry for n, part in enumerate(input_parts) for entry in _entries(part, response.id, n)]


def _entries(input_part: Any, response_id: str, part_index: int) -> list[Entry]:
    items = parse(input_part, f"input[{part_index}]")
    items_with_ids = [
        item if item.id else replace(item, id=f"{response_id}.{part_index}.{item_index}")
        for item_index, item in enumerate(items)
    ]
    return items_to_entries(items_with_ids)


def existing(responses: Responses, id: str) -> Response:
    """A stored response.

    Raises:
        NotFound: there is none.
    """
    response = responses.get(id)
    if response is None:
        raise NotFound("there is no such response")
    return response


def _after(entries: list[Entry], after: str | None) -> list[Entry]:
    if after is None:
        return entries
    entry_ids = [entry["id"] for entry in entries]
    if after not in entry_ids:
        raise ApiError(404, "after names no item of this response", param="after")
    return entries[entry_ids.index(after) + 1 :]


ROUTES: Final = [
    Route("/v1/responses/{id}", get, methods=["GET"]),
    Route("/v1/responses/{id}", delete, methods=["DELETE"]),
    Route("/v1/responses/{id}/input_items", list_input_items, methods=["GET"]),
]
