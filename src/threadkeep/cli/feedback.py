"""`threadkeep feedback`: ratings of responses."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from threadkeep.api.feedback import to_json
from threadkeep.api.memory import Memory
from threadkeep.cli.output import format_time, json_text, print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.types.responses import Feedback, RatingCounts
from threadkeep.types.states import Rating

_PAGE: Final = 500


class FeedbackGroupBy(StrEnum):
    """What `--by` counts feedback by."""

    MODEL = "model"
    DAY = "day"
    RATING = "rating"
    RESPONSE = "response"


class RatingChoice(StrEnum):
    """The ratings."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


def feedback(
    memory: Memory,
    user: Annotated[str | None, typer.Option(help="On this user's responses.")] = None,
    session: Annotated[str | None, typer.Option(help="On responses of this session.")] = None,
    response: Annotated[str | None, typer.Option(help="On this response.")] = None,
    rating: Annotated[RatingChoice | None, typer.Option(help="Only these.")] = None,
    model: Annotated[str | None, typer.Option(help="On responses of this model.")] = None,
    author: Annotated[str | None, typer.Option(help="By this author.")] = None,
    since: Annotated[str | None, typer.Option(help="A date, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="A date, ISO 8601; that day excluded.")] = None,
    by: Annotated[FeedbackGroupBy | None, typer.Option(help="Count them instead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    lines: Annotated[bool, typer.Option("--jsonl", help="All of them, as JSON lines.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List feedback, count it (--by), or export it (--jsonl)."""
    rating_name: Rating | None = None if rating is None else rating.value
    conditions: dict[str, Any] = {
        "user": user,
        "conversation": session,
        "response": response,
        "rating": rating_name,
        "model": model,
        "author": author,
        "since": since,
        "until": until,
    }
    collection = require_existing(memory).feedback
    if by is not None:
        _print_counts(by, collection.counts(by=by.value, **conditions), json)
    elif lines:
        _print_lines(memory, conditions)
    else:
        feedback_page = collection.list(limit=limit, **conditions)
        _print_list(list(feedback_page), json)
        if feedback_page.cursor is not None and not json:
            print_line(f"... and more; --limit shows up to 1000 ({limit} shown)", err=True)


def _print_list(feedback_list: list[Feedback], json: bool) -> None:
    if json:
        print_json([to_json(entry) for entry in feedback_list])
        return
    print_table(
        ("when", "rating", "model", "session", "response", "author", "comment"),
        [
            (
                format_time(f.created_at),
                f.rating,
                f.model,
                f.conversation,
                f.response,
                f.author,
                f.comment,
            )
            for f in feedback_list
        ],
    )


def _print_counts(by: FeedbackGroupBy, counts: dict[str, RatingCounts], json: bool) -> None:
    if json:
        rows_by_group = {
            group: {"positive": count.positive, "negative": count.negative}
            for group, count in counts.items()
        }
        print_json(rows_by_group)
        return
    print_table(
        (by.value, "positive", "negative", "liked"),
        [
            (group, count.positive, count.negative, f"{count.positive / count.total:.0%}")
            for group, count in counts.items()
        ],
    )


def _print_lines(memory: Memory, conditions: dict[str, Any]) -> None:
    cursor = None
    while True:
        feedback_page = memory.feedback.list(limit=_PAGE, cursor=cursor, **conditions)
        for feedback_entry in feedback_page:
            print_line(json_text(to_json(feedback_entry), separators=(",", ":")))
        cursor = feedback_page.cursor
        if cursor is None:
            return
