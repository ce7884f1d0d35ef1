"""The page of usage: responses, tokens and ratings of a user by day and by model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.api.user import User
from threadkeep.core.engine import Engine
from threadkeep.core.response_codec import ENTRY, ResponseEntry, read_entry, read_feedback
from threadkeep.sessions import scan
from threadkeep.types import Query, SessionInfo
from threadkeep.types.responses import Feedback, RatingCounts, Usage
from threadkeep.types.timestamps import utc_datetime
from threadkeep.ui.view import page_route, render, user_of

MAX_SESSIONS: Final = 500
"""The newest sessions of a user, whose responses are added up."""

MAX_PER_SESSION: Final = 500
"""Responses of a session, and feedback in it: the newest."""

DAYS: Final = 60
"""Days in the chart, the last ones on which there were responses."""

_BATCH: Final = 50


class Bar(NamedTuple):
    """A day in the chart: its place, and the heights of what was read and written, up to 100."""

    day: str
    x: int
    input: float
    output: float
    usage: Usage


@dataclass(slots=True)
class Totals:
    """Usage by day and by model, ratings by model, and whether that is all."""

    by_day: defaultdict[str, Usage] = field(default_factory=lambda: defaultdict(Usage))
    by_model: defaultdict[str, Usage] = field(default_factory=lambda: defaultdict(Usage))
    ratings: defaultdict[str, RatingCounts] = field(
        default_factory=lambda: defaultdict(RatingCounts)
    )
    is_complete: bool = True

    def add(self, entry: ResponseEntry) -> None:
        """Add a response."""
        self.by_day[f"{utc_datetime(entry.created_at):%Y-%m-%d}"] += entry.usage
        self.by_model[entry.model or "unknown"] += entry.usage

    def rate(self, feedback: Feedback) -> None:
        """Add a rating."""
        is_liked = feedback.rating == "positive"
        self.ratings[feedback.model or "unknown"] += RatingCounts(int(is_liked), int(not is_liked))


def usage(request: Request) -> Response:
    """`GET /user/usage?id=`: what a user's responses took."""
    user_memory = user_of(request)
    totals = add_up(user_memory)
    bars = bars_of(totals.by_day)
    return render(request, "usage.html", user=user_memory, totals=totals, bars=bars, days=DAYS)


def add_up(user: User) -> Totals:
    """Add up the responses and ratings in the newest sessions of a user."""
    engine, totals = user._engine, Totals()
    infos = [info for _, info in islice(scan.sessions(engine, user.id, None), MAX_SESSIONS + 1)]
    totals.is_complete = len(infos) <= MAX_SESSIONS
    for info_batch in _batches(infos[:MAX_SESSIONS]):
        _add_sessions(engine, info_batch, totals)
    return totals


def _add_sessions(engine: Engine, infos: Sequence[SessionInfo], totals: Totals) -> None:
    """Add what stands in some sessions, read in one round trip."""
    pages = engine.read(
        *(
            Query(engine.stream("session", info.id), kind, limit=MAX_PER_SESSION, newest=True)
            for info in infos
            for kind in (ENTRY, "feedback")
        )
    )
    totals.is_complete &= all(len(page.records) < MAX_PER_SESSION for page in pages)
    for info, response_page, feedback_page in zip(infos, pages[::2], pages[1::2], strict=True):
        for record in response_page.records:
            totals.add(read_entry(record))
        for record in feedback_page.records:
            if (feedback := read_feedback(record, info.id)) is not None:
                totals.rate(feedback)


def _batches(infos: Sequence[SessionInfo]) -> Iterator[Sequence[SessionInfo]]:
    return (infos[start : start + _BATCH] for start in range(0, len(infos), _BATCH))


def bars_of(by_day: Mapping[str, Usage]) -> list[Bar]:
    """The bars of the last days, the highest of 100."""
    days = sorted(by_day)[-DAYS:]
    max_sum = max((by_day[day].input_tokens + by_day[day].output_tokens for day in days), default=0)
    percent_per_token = 100 / (max_sum or 1)
    return [
        Bar(
            day,
            day_index,
            by_day[day].input_tokens * percent_per_token,
            by_day[day].output_tokens * percent_per_token,
            by_day[day],
        )
        for day_index, day in enumerate(days)
    ]


ROUTES: Final = [page_route("/user/usage", usage)]
