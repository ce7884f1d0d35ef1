"""The page of usage: responses, tokens and ratings of a user by day and by model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.api.user import User
from threadkeep.errors import BackendTimeout
from threadkeep.responses import store as response_store
from threadkeep.responses.search import Scope
from threadkeep.types.responses import RatingCounts, Usage
from threadkeep.types.timestamps import utc_datetime
from threadkeep.ui.view import memory_of, page_route, render, user_of

SECONDS: Final = 3.0
"""How long responses are added up, from the newest back; then the page says so."""

DAYS: Final = 60
"""Days in the chart, the last ones on which there were responses."""


class Bar(NamedTuple):
    """A day in the chart: its place, and the heights of what was read and written, up to 100."""

    day: str
    x: int
    input: float
    output: float
    usage: Usage


class Totals(NamedTuple):
    """Usage by day and by model, and whether that is all."""

    by_day: Mapping[str, Usage]
    by_model: Mapping[str, Usage]
    is_complete: bool


def usage(request: Request) -> Response:
    """`GET /user/usage?id=`: what a user's responses took."""
    user = user_of(request)
    totals = add_up(request, user)
    ratings, has_all_ratings = _ratings(request, user)
    return render(
        request,
        "usage.html",
        user=user,
        totals=totals,
        ratings=ratings,
        is_complete=totals.is_complete and has_all_ratings,
        bars=bars_of(totals.by_day),
        days=DAYS,
    )


def add_up(request: Request, user: User) -> Totals:
    """Add up the responses of a user, as many as there is time for."""
    by_day: defaultdict[str, Usage] = defaultdict(Usage)
    by_model: defaultdict[str, Usage] = defaultdict(Usage)
    is_complete = True
    try:
        with memory_of(request).timeout(SECONDS):
            for _, entry in response_store.entries(user._engine, Scope(user.id, None), None):
                by_day[f"{utc_datetime(entry.created_at):%Y-%m-%d}"] += entry.usage
                by_model[entry.model or "unknown"] += entry.usage
    except BackendTimeout:
        is_complete = False
    return Totals(by_day, by_model, is_complete)


def bars_of(by_day: Mapping[str, Usage]) -> list[Bar]:
    """The bars of the last days, the highest of 100."""
    days = sorted(by_day)[-DAYS:]
    most = max((by_day[day].input_tokens + by_day[day].output_tokens for day in days), default=0)
    share = 100 / (most or 1)
    return [
        Bar(
            day,
            place,
            by_day[day].input_tokens * share,
            by_day[day].output_tokens * share,
            by_day[day],
        )
        for place, day in enumerate(days)
    ]


def _ratings(request: Request, user: User) -> tuple[Mapping[str, RatingCounts], bool]:
    try:
        with memory_of(request).timeout(SECONDS):
            return user.feedback.counts(by="model"), True
    except BackendTimeout:
        return {}, False


ROUTES: Final = [page_route("/user/usage", usage)]
