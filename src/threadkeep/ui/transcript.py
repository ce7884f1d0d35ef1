"""The page of a session: its items as they are stored, and what is known of it."""

from __future__ import annotations

from collections import Counter
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.api.session import Session
from threadkeep.longterm import summaries
from threadkeep.types import Item
from threadkeep.types.knowledge import Source
from threadkeep.ui.entries import as_json, entry_of
from threadkeep.ui.view import memory_of, number_parameter, owner_of, page_route, render, session_of

PAGE: Final = 50
_MAX_METADATA: Final = 20_000
_MAX_FILES: Final = 100
_MAX_FEEDBACK: Final = 20


def transcript(request: Request) -> Response:
    """`GET /session?id=`: the newest items; `after=` or `before=` a seq, those there."""
    chat, session_info = session_of(request)
    after_seq, before_seq = (number_parameter(request, name) for name in ("after", "before"))
    with_hidden = request.query_params.get("hidden") == "1"
    items, older_seq, newer_seq = page_of_items(chat, after_seq, before_seq, with_hidden)
    citation_counts = citations(chat) if items else Counter()
    return render(
        request,
        "session.html",
        info=session_info,
        metadata=as_json(session_info.metadata, _MAX_METADATA) if session_info.metadata else None,
        summary=summaries.peek(chat._stream),
        files=chat.files.list()[:_MAX_FILES],
        feedback=memory_of(request).feedback.list(
            conversation=chat.id, user=owner_of(request), limit=_MAX_FEEDBACK
        ),
        entries=[entry_of(item, learned=citation_counts[item.id]) for item in items],
        older=older_seq,
        newer=newer_seq,
        with_hidden=with_hidden,
    )


def page_of_items(
    chat: Session, after: int | None, before: int | None, hidden: bool = False
) -> tuple[list[Item], int | None, int | None]:
    """Items, the seq before which older ones stand, and the one behind which newer ones do."""
    if after is not None:
        item_page = chat.items(after=after, limit=PAGE, hidden=hidden)
        older_seq = item_page[0].seq if item_page and after > 0 else None
        return list(item_page), older_seq, item_page.cursor
    item_page = chat.items(last=PAGE + 1, before=before, hidden=hidden)
    items = item_page[-PAGE:]
    older_seq = items[0].seq if len(item_page) > PAGE else None
    return items, older_seq, items[-1].seq if items and before is not None else None


def citations(chat: Session) -> Counter[str]:
    """How many facts and instructions cite each item of a session."""
    sources = [
        *(entry.sources for entry in chat.facts.list(status=None)),
        *(entry.sources for entry in chat.instructions.list(status=None)),
    ]
    return Counter(item for entry_sources in sources for item in _items_of(chat, entry_sources))


def _items_of(chat: Session, sources: tuple[Source, ...]) -> set[str]:
    return {source.item for source in sources if source.session == chat.id}


ROUTES: Final = [page_route("/session", transcript)]
