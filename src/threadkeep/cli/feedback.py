"""`threadkeep feedback`: what people think of the answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from threadkeep.api.feedback import exported
from threadkeep.api.memory import Memory
from threadkeep.cli.output import as_json, json_text, line, table, when
from threadkeep.cli.store import present
from threadkeep.types.responses import Feedback, Rating, RatingCounts

_PAGE: Final = 500


class By(StrEnum):
    """What feedback is counted by."""

    MODEL = "model"
    DAY = "day"
    RATING = "rating"
    RESPONSE = "response"


class Liked(StrEnum):
    """The ratings."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


def feedback(
    memory: Memory,
    user: Annotated[str | None, typer.Option(help="On this user's responses.")] = None,
    session: Annotated[str | None, typer.Option(help="On responses of this session.")] = None,
    response: Annotated[str | None, typer.Option(help="On this response.")] = None,
    rating: Annotated[Liked | None, typer.Option(help="Only these.")] = None,
    model: Annotated[str | None, typer.Option(help="On responses of this model.")] = None,
    author: Annotated[str | None, typer.Option(help="By this author.")] = None,
    since: Annotated[str | None, typer.Option(help="A date, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="A date, ISO 8601; that day excluded.")] = None,
    by: Annotated[By | None, typer.Option(help="Count them instead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    lines: Annotated[bool, typer.Option("--jsonl", help="All of them, as JSON lines.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List feedback, count it (--by), or export it (--jsonl)."""
    chosen: Rating | None = None if rating is None else rating.value
    how: dict[str, Any] = {
        "user": user,
        "conversation": session,
        "response": response,
        "rating": chosen,
        "model": model,
        "author": author,
        "since": since,
        "until": until,
    }
    book = present(memory).feedback
    if by is not None:
        _counts(by, book.summarise(by=by.value, **how), json)
    elif lines:
        _lines(memory, how)
    else:
        found = book.list(limit=limit, **how)
        _listed(list(found), json)
        if found.cursor is not None and not json:
            line(f"... and more; --limit shows up to 1000 ({limit} shown)", err=True)


def _listed(found: list[Feedback], json: bool) -> None:
    if json:
        as_json([exported(one) for one in found])
        return
    table(
        ("when", "rating", "model", "session", "response", "author", "comment"),
        [
            (when(f.created_at), f.rating, f.model, f.conversation, f.response, f.author, f.comment)
            for f in found
        ],
    )


def _counts(by: By, found: dict[str, RatingCounts], json: bool) -> None:
    if json:
        rows = {key: {"positive": t.positive, "negative": t.negative} for key, t in found.items()}
        as_json(rows)
        return
    table(
        (by.value, "positive", "negative", "liked"),
        [(key, t.positive, t.negative, f"{t.positive / t.total:.0%}") for key, t in found.items()],
    )


def _lines(memory: Memory, how: dict[str, Any]) -> None:
    cursor = None
    while True:
        page = memory.feedback.list(limit=_PAGE, cursor=cursor, **how)
        for one in page:
            line(json_text(exported(one), separators=(",", ":")))
        cursor = page.cursor
        if cursor is None:
            return
