"""The page of an item: all of it, and what was learned from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.errors import NotFound
from threadkeep.longterm.explain import Explanation
from threadkeep.serve.errors import NOT_FOUND
from threadkeep.ui.entries import LONG, as_json, entry_of
from threadkeep.ui.view import id_parameter, page_route, render, session_of

_MAX_PAYLOAD: Final = 100_000


def item(request: Request) -> Response:
    """`GET /item?session=&id=`: an item with its payload, facts, instructions and refusals."""
    chat, session_info = session_of(request, "session")
    item_id = id_parameter(request)
    items_before = chat.items(before=item_id, last=1, hidden=True)
    items = chat.items(after=items_before[-1].seq if items_before else 0, limit=1, hidden=True)
    if not items or items[0].id != item_id:
        raise NotFound(NOT_FOUND)
    shown_item, explanation = items[0], chat.explain(item_id)
    item_view = entry_of(shown_item, limit=LONG)
    return render(
        request,
        "item.html",
        info=session_info,
        entry=item_view,
        metadata=as_json(shown_item.metadata, _MAX_PAYLOAD) if shown_item.metadata else None,
        raw=as_json(shown_item.raw, _MAX_PAYLOAD) if shown_item.raw else None,
        usage=as_json(shown_item.usage, _MAX_PAYLOAD) if shown_item.usage else None,
        explanation=explanation,
        passages=passages(item_view.text.text, quotes_of(explanation, item_id)),
    )


def quotes_of(explanation: Explanation, id: str) -> set[str]:
    """The words of an item that are cited for what was learned from it."""
    sources = [
        *(source for fact in explanation.facts for source in fact.sources),
        *(source for entry in explanation.instructions for source in entry.sources),
    ]
    return {source.quote for source in sources if source.item == id and source.quote}


def passages(text: str, quotes: Iterable[str]) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is cited; together they are the text."""
    sorted_quotes = sorted(quotes, key=len, reverse=True)
    if not sorted_quotes:
        return [(text, False)]
    pieces = re.split(f"({'|'.join(map(re.escape, sorted_quotes))})", text)
    return [(piece, piece_index % 2 == 1) for piece_index, piece in enumerate(pieces) if piece]


ROUTES: Final = [page_route("/item", item)]
