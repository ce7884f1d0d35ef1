"""The endpoints under `/v1/conversations`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from threadkeep.api.conversations import Conversations
from threadkeep.errors import InputError, NotFound
from threadkeep.serve.calls import call, check_fields
from threadkeep.serve.door import path_id, read_json
from threadkeep.serve.entries import Entry, item_to_entries, items_to_entries
from threadkeep.serve.entry_ids import item_id
from threadkeep.serve.errors import ApiError
from threadkeep.serve.pages import (
    cursor_of,
    cursor_page,
    item_page,
    limit_of,
)
from threadkeep.serve.principal import scope_of
from threadkeep.types import SessionInfo

_METADATA_PREFIX: Final = "metadata["
_MAX_IDEMPOTENCY_KEY: Final = 255


def conversation_body(info: SessionInfo) -> dict[str, Any]:
    """A conversation as the OpenAI API has it, with its title and last write beside it."""
    created_at, updated_at = info.created_at, info.updated_at
    return {
        "id": info.id,
        "object": "conversation",
        "created_at": int(created_at.timestamp()) if created_at else 0,
        "metadata": info.metadata,
        "title": info.title,
        "updated_at": int(updated_at.timestamp()) if updated_at else None,
    }


async def create(request: Request) -> Response:
    """`POST /v1/conversations`."""
    conversations = scope_of(request, "write").conversations
    body = await read_json(request)
    check_fields(body, ("items", "metadata", "id", "title"))
    info = await call(
        request,
        partial(
            conversations.create,
            body.get("id"),
            title=body.get("title"),
            metadata=body.get("metadata"),
            items=body.get("items") or (),
        ),
    )
    return JSONResponse(conversation_body(info))


async def list_conversations(request: Request) -> Response:
    """`GET /v1/conversations`: `user`, `since`, `until`, `metadata[key]`, `limit`, `cursor`."""
    conversations = scope_of(request, "read").conversations
    parameters = request.query_params
    metadata_filter = {
        key[len(_METADATA_PREFIX) : -1]: value
        for key, value in parameters.items()
        if key.startswith(_METADATA_PREFIX) and key.endswith("]")
    }
    page = await call(
        request,
        partial(
            conversations.list,
            metadata=metadata_filter,
            since=parameters.get("since"),
            until=parameters.get("until"),
            limit=limit_of(request),
            cursor=cursor_of(request),
        ),
    )
    return JSONResponse(cursor_page([conversation_body(info) for info in page], page.cursor))


async def get(request: Request) -> Response:
    """`GET /v1/conversations/{id}`."""
    conversations, id = scope_of(request, "read").conversations, path_id(request)
    info = await call(request, partial(conversations.get, id))
    if info is None:
        raise NotFound("there is no such conversation")
    return JSONResponse(conversation_body(info))


async def update(request: Request) -> Response:
    """`POST /v1/conversations/{id}`: merges the metadata key by key; `null` removes a key."""
    conversations, id = scope_of(request, "write").conversations, path_id(request)
    body = await read_json(request)
    check_fields(body, ("metadata", "title"))
    title_field = {"title": body["title"]} if "title" in body else {}
    apply_changes = partial(conversations.update, id, metadata=body.get("metadata"), **title_field)
    return JSONResponse(conversation_body(await call(request, apply_changes)))


async def delete(request: Request) -> Response:
    """`DELETE /v1/conversations/{id}`, with its items, responses and feedback."""
    conversations, id = scope_of(request, "write").conversations, path_id(request)

    def delete_existing() -> None:
        if conversations.get(id) is None:
            raise NotFound("there is no such conversation")
        conversations.delete(id)

    await call(request, delete_existing)
    return JSONResponse({"id": id, "object": "conversation.deleted", "deleted": True})


async def create_items(request: Request) -> Response:
    """`POST /v1/conversations/{id}/items`; `Idempotency-Key` gives ids to items without one."""
    conversations, id = scope_of(request, "write").conversations, path_id(request)
    body = await read_json(request)
    check_fields(body, ("items",))
    items = body.get("items")
    if not isinstance(items, list) or not items:
        raise ApiError(400, "items must be a list of at least one item", param="items")
    items = with_ids(items, request.headers.get("idempotency-key"))
    new_items = await call(request, partial(conversations.add_items, id, *items))
    return JSONResponse(item_page(items_to_entries(new_items), has_more=False))


async def list_items(request: Request) -> Response:
    """`GET /v1/conversations/{id}/items`: `limit`, `order` (`desc` by default), `after`."""
    conversations, id = scope_of(request, "read").conversations, path_id(request)
    parameters = request.query_params
    order, after_id = parameters.get("order", "desc"), parameters.get("after")
    limit = limit_of(request)
    entries, has_more = await call(
        request, partial(page_of_entries, conversations, id, limit, order, after_id)
    )
    return JSONResponse(item_page(entries, has_more))


async def get_item(request: Request) -> Response:
    """`GET /v1/conversations/{id}/items/{item}`."""
    conversations, id = scope_of(request, "read").conversations, path_id(request)
    entry = await call(request, partial(find_entry, conversations, id, path_id(request, "item")))
    return JSONResponse(entry)


async def delete_item(request: Request) -> Response:
    """`DELETE /v1/conversations/{id}/items/{item}`: answers with the conversation."""
    conversations, id = scope_of(request, "write").conversations, path_id(request)

    def remove() -> SessionInfo | None:
        entry = find_entry(conversations, id, path_id(request, "item"))
        conversations.remove_item(id, item_id(entry["id"])[0])
        return conversations.get(id)

    info = await call(request, remove)
    return JSONResponse(conversation_body(info or SessionInfo(id)))


def page_of_entries(
    conversations: Conversations, id: str, limit: int, order: str, after: str | None
) -> tuple[list[Entry], bool]:
    """A page of whole items, with at most `limit` entries unless the first item alone has more.

    Returns the entries, and whether there are more.
    """
    after_item = None if after is None else item_id(after)[0]
    items = conversations.items(id, limit=limit, order=order, after=after_item)  # type: ignore[arg-type]
    page_entries: list[Entry] = []
    for item in items:
        item_entries = item_to_entries(item)
        if page_entries and len(page_entries) + len(item_entries) > limit:
            return page_entries, True
        page_entries += item_entries[::-1] if order == "desc" else item_entries
    return page_entries, items.cursor is not None


def find_entry(conversations: Conversations, id: str, entry_id: str) -> Entry:
    """One entry by its id.

    Raises:
        NotFound: there is none.
    """
    entries = item_to_entries(conversations.item(id, item_id(entry_id)[0]))
    for entry in entries:
        if entry["id"] == entry_id:
            return entry
    raise NotFound("there is no such item")


def with_ids(items: list[Any], key: str | None) -> list[Any]:
    """The items under their own ids, made of an idempotency key where they have none.

    Raises:
        InputError: the key is too long.
    """
    if key is not None and not 1 <= len(key) <= _MAX_IDEMPOTENCY_KEY:
        raise InputError(f"Idempotency-Key must have 1 to {_MAX_IDEMPOTENCY_KEY} characters")
    return [_with_id(item, key, item_index) for item_index, item in enumerate(items)]


def _with_id(item: Any, key: str | None, number: int) -> Any:
    if not isinstance(item, Mapping):
        return item
    own_id = item.get("id")
    if isinstance(own_id, str) and own_id:
        own_item_id, entry_number = item_id(own_id)
        return item if entry_number else {**item, "id": own_item_id}
    return item if key is None else {**item, "id": f"{key}.{number}" if number else key}


ROUTES: Final = [
    Route("/v1/conversations", create, methods=["POST"]),
    Route("/v1/conversations", list_conversations, methods=["GET"]),
    Route("/v1/conversations/{id}", get, methods=["GET"]),
    Route("/v1/conversations/{id}", update, methods=["POST"]),
    Route("/v1/conversations/{id}", delete, methods=["DELETE"]),
    Route("/v1/conversations/{id}/items", create_items, methods=["POST"]),
    Route("/v1/conversations/{id}/items", list_items, methods=["GET"]),
    Route("/v1/conversations/{id}/items/{item}", get_item, methods=["GET"]),
    Route("/v1/conversations/{id}/items/{item}", delete_item, methods=["DELETE"]),
]
