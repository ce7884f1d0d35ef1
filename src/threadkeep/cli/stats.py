"""`threadkeep stats`: how much is stored, what it cost, and how it was liked."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import as_json, line, table
from threadkeep.cli.store import present
from threadkeep.types.responses import RatingCounts, Usage

_PAGE: Final = 500


class By(StrEnum):
    """What is added up by."""

    MODEL = "model"
    DAY = "day"


def stats(
    memory: Memory,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    by: Annotated[By, typer.Option(help="Add up by model or by day (UTC).")] = By.MODEL,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Count sessions and users, and responses, tokens and feedback by model or day.

    It walks over all sessions, so it takes its time in a large store.
    """
    users = _users(present(memory), user)
    usage = memory.responses.usage(by=by.value, user=user)
    liked = memory.feedback.summarise(by=by.value, user=user)
    keys = sorted(usage.keys() | liked.keys())
    rows = [(key, usage.get(key, Usage()), liked.get(key, RatingCounts())) for key in keys]
    known = sum(name is not None for name in users)
    if json:
        as_json(
            {
                "sessions": users.total(),
                "users": known,
                f"by_{by.value}": {key: asdict(u) | asdict(t) for key, u, t in rows},
            }
        )
        return
    line(f"{users.total()} sessions of {known} users")
    table(
        (by.value, "responses", "input", "output", "tokens", "positive", "negative"),
        [
            (
                key,
                used.responses,
                used.input_tokens,
                used.output_tokens,
                used.total_tokens,
                tally.positive,
                tally.negative,
            )
            for key, used, tally in rows
        ],
    )


def _users(memory: Memory, user: str | None) -> Counter[str | None]:
    """How many sessions each user has."""
    found: Counter[str | None] = Counter()
    cursor = None
    while True:
        page = memory.sessions(user=user, limit=_PAGE, cursor=cursor)
        found.update(info.user for info in page)
        cursor = page.cursor
        if cursor is None:
            return found
