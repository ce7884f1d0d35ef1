"""`threadkeep stats`: sessions, token usage and ratings."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from enum import StrEnum
from itertools import starmap
from typing import Annotated, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.printable import counted
from threadkeep.types.responses import RatingCounts, Usage

_PAGE: Final = 500

_Row = tuple[str, Usage, RatingCounts]


class UsageGroupBy(StrEnum):
    """What `--by` groups usage by."""

    MODEL = "model"
    DAY = "day"


def stats(
    memory: Memory,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    by: Annotated[
        UsageGroupBy, typer.Option(help="Add up by model or by day (UTC).")
    ] = UsageGroupBy.MODEL,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Count sessions and users, and responses, tokens and feedback by model or day.

    It walks over all sessions, so it takes its time in a large store.
    """
    count_by_user = _sessions_per_user(require_existing(memory), user)
    usage_by_key = memory.responses.usage(by=by.value, user=user)
    ratings = memory.feedback.counts(by=by.value, user=user)
    row_keys = sorted(usage_by_key.keys() | ratings.keys())
    rows: list[_Row] = [
        (key, usage_by_key.get(key, Usage()), ratings.get(key, RatingCounts())) for key in row_keys
    ]
    user_count = sum(user_id is not None for user_id in count_by_user)
    if json:
        print_json(
            {
                "sessions": count_by_user.total(),
                "users": user_count,
                f"by_{by.value}": {key: asdict(u) | asdict(t) for key, u, t in rows},
            }
        )
        return
    print_line(f"{counted(count_by_user.total(), 'session')} of {counted(user_count, 'user')}")
    print_table(
        (by.value, "responses", "input", "output", "tokens", "positive", "negative"),
        list(starmap(_columns, rows)),
    )


def _columns(key: str, usage: Usage, ratings: RatingCounts) -> tuple[str | int, ...]:
    """A row of the table."""
    tokens = usage.input_tokens, usage.output_tokens, usage.total_tokens
    return key, usage.responses, *tokens, ratings.positive, ratings.negative


def _sessions_per_user(memory: Memory, user: str | None) -> Counter[str | None]:
    """Number of sessions of each user."""
    count_by_user: Counter[str | None] = Counter()
    cursor = None
    while True:
        session_page = memory.sessions(user=user, limit=_PAGE, cursor=cursor)
        count_by_user.update(info.user for info in session_page)
        cursor = session_page.cursor
        if cursor is None:
            return count_by_user
