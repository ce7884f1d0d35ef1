"""`--since` and `--until`, which several commands take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, NamedTuple

import typer

from threadkeep.api.memory import Memory
from threadkeep.sessions import scan
from threadkeep.types import SessionInfo
from threadkeep.types.timestamps import parse_time

Since = Annotated[
    str | None,
    typer.Option("--since", help="Only from this time on (ISO 8601).", show_default=False),
]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Only before this time (ISO 8601).", show_default=False),
]


class Period(NamedTuple):
    """From when on and before when; `None` = open."""

    since: datetime | None
    until: datetime | None

    def has(self, moment: datetime | None) -> bool:
        """Whether a moment is in it; an unknown one is in the open period only."""
        if moment is None:
            return self.since is None and self.until is None
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment < self.until
        )

    def overlaps(self, info: SessionInfo) -> bool:
        """Whether a session was written to in it, by its first and last write."""
        started_at, ended_at = info.created_at, info.updated_at
        return (self.since is None or (ended_at is not None and ended_at >= self.since)) and (
            self.until is None or (started_at is not None and started_at < self.until)
        )


def period(since: str | None, until: str | None) -> Period:
    """The period of two options.

    Raises:
        InputError: one is no date; it is named.
    """
    return Period(
        None if since is None else parse_time(since, "--since"),
        None if until is None else parse_time(until, "--until"),
    )


def sessions_in(memory: Memory, user: str | None, within: Period) -> Iterator[SessionInfo]:
    """A user's sessions, or all there are, that were written to in a period."""
    return (info for _, info in scan.sessions(memory._engine, user, None) if within.overlaps(info))
