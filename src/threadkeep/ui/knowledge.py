"""The pages about a user: facts, instructions, what was refused, and summaries of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.api.user import User
from threadkeep.errors import NotFound
from threadkeep.longterm import summaries as stored_summaries
from threadkeep.longterm.facts import Facts
from threadkeep.longterm.instructions import Instructions
from threadkeep.serve.errors import NOT_FOUND, ApiError
from threadkeep.serve.pages import cursor_of, encode_cursor
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact, Instruction, Source, Summary
from threadkeep.types.states import STATUSES
from threadkeep.ui.entries import Excerpt, as_json, excerpt
from threadkeep.ui.view import (
    id_parameter,
    memory_of,
    number_parameter,
    owner_of,
    page_route,
    render,
    text_parameter,
    user_of,
)

PAGE: Final = 50
KINDS: Final = ("fact", "instruction")
_SUMMARIES: Final = 20
_MAX_QUOTE: Final = 1_000
_MAX_METADATA: Final = 20_000


class SourceRow(NamedTuple):
    """Where something was said: the source, its words, and whether they still stand there."""

    source: Source
    words: Excerpt
    stands: bool


def facts(request: Request) -> Response:
    """`GET /user?id=`: the facts of a user."""
    return _entries(request, "fact")


def instructions(request: Request) -> Response:
    """`GET /user/instructions?id=`: how a user wants to be served."""
    return _entries(request, "instruction")


def _entries(request: Request, kind: str) -> Response:
    user_memory = user_of(request)
    status = text_parameter(request, "status", 20) or None
    if status not in (None, *STATUSES):
        raise ApiError(400, "there is no such status", param="status")
    collection: Any = collection_of(user_memory, kind)
    entries = collection.list(status=status)[::-1]  # what was learned last comes first
    start_index = number_parameter(request, "start") or 0
    return render(
        request,
        "knowledge.html",
        user=user_memory,
        kind=kind,
        entries=entries[start_index : start_index + PAGE],
        start=start_index,
        count=len(entries),
        following=start_index + PAGE if start_index + PAGE < len(entries) else None,
        chosen=status,
        statuses=STATUSES,
    )


def fact(request: Request) -> Response:
    """`GET /user/fact?user=&id=`: a fact, where it comes from, and what it replaced."""
    return _entry(request, "fact")


def instruction(request: Request) -> Response:
    """`GET /user/instruction?user=&id=`: an instruction, and where it comes from."""
    return _entry(request, "instruction")


def _entry(request: Request, kind: str) -> Response:
    user_memory, entry_id = user_of(request, "user"), id_parameter(request)
    collection: Any = collection_of(user_memory, kind)
    entry: Fact | Instruction | None = collection.get(entry_id)
    if entry is None:
        raise NotFound(NOT_FOUND)
    return render(
        request,
        "entry.html",
        user=user_memory,
        kind=kind,
        entry=entry,
        metadata=as_json(entry.metadata, _MAX_METADATA)
        if isinstance(entry, Fact) and entry.metadata
        else None,
        sources=_source_rows(entry.sources, collection.explain(entry_id)),
        history=user_memory.facts.history(entry_id) if kind == "fact" else [],
    )


def refused(request: Request) -> Response:
    """`GET /user/refused?id=`: what was proposed and is not known, and why; newest first."""
    user_memory = user_of(request)
    refusals = user_memory.refused(limit=2 * PAGE)[::-1]
    return render(request, "refused.html", user=user_memory, refusals=refusals)


def summaries(request: Request) -> Response:
    """`GET /user/summaries?id=`: the summaries of a user's sessions, the latest written first."""
    user_memory = user_of(request)
    page = user_memory.sessions(limit=_SUMMARIES, cursor=cursor_of(request))
    memory, owner = memory_of(request), owner_of(request)
    rows: list[tuple[Any, Summary | None]] = [
        (info, stored_summaries.peek(memory.session(info.id, user=owner)._stream)) for info in page
    ]
    next_cursor = None if page.cursor is None else encode_cursor(page.cursor)
    return render(request, "summaries.html", user=user_memory, rows=rows, following=next_cursor)


def collection_of(user: User, kind: str) -> Facts | Instructions:
    """The facts or the instructions of a user.

    Raises:
        NotFound: there is no such kind.
    """
    if kind not in KINDS:
        raise NotFound(NOT_FOUND)
    return user.facts if kind == "fact" else user.instructions


def _source_rows(sources: Sequence[Source], items: Sequence[Item]) -> list[SourceRow]:
    text_by_item_id = {item.id: item.text for item in items}
    return [
        SourceRow(
            source,
            excerpt(source.quote or text_by_item_id.get(source.item, ""), _MAX_QUOTE),
            source.item in text_by_item_id,
        )
        for source in sources
    ]


ROUTES: Final = [
    page_route("/user", facts),
    page_route("/user/instructions", instructions),
    page_route("/user/fact", fact),
    page_route("/user/instruction", instruction),
    page_route("/user/refused", refused),
    page_route("/user/summaries", summaries),
]
