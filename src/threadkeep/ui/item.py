"""The page of an item: all of it, and what was learned from it."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.errors import NotFound
from threadkeep.serve.errors import NOT_FOUND
from threadkeep.ui.entries import LONG, as_json, entry_of
from threadkeep.ui.view import id_parameter, page_route, render, session_of

_MAX_PAYLOAD: Final = 100_000


def item(request: Request) -> Response:
    """`GET /item?session=&id=`: an item with its payload, facts, instructions and refusals."""
    chat, info = session_of(request, "session")
    id = id_parameter(request)
    before = chat.items(before=id, last=1, hidden=True)
    following = chat.items(after=before[-1].seq if before else 0, limit=1, hidden=True)
    if not following or following[0].id != id:
        raise NotFound(NOT_FOUND)
    shown_item = following[0]
    return render(
        request,
        "item.html",
        info=info,
        entry=entry_of(shown_item, limit=LONG),
        metadata=as_json(shown_item.metadata, _MAX_PAYLOAD) if shown_item.metadata else None,
        raw=as_json(shown_item.raw, _MAX_PAYLOAD) if shown_item.raw else None,
        usage=as_json(shown_item.usage, _MAX_PAYLOAD) if shown_item.usage else None,
        explanation=chat.explain(id),
    )


ROUTES: Final = [page_route("/item", item)]
