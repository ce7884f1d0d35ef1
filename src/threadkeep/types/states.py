"""The words of a few fields: how far a fact counts, who an instruction comes from, a rating."""

from __future__ import annotations

from typing import Final, Literal, get_args

Status = Literal["active", "superseded", "quarantined"]
STATUSES: Final[tuple[str, ...]] = get_args(Status)

Priority = Literal["explicit", "preference", "inferred"]
PRIORITIES: Final[tuple[str, ...]] = get_args(Priority)

Rating = Literal["positive", "negative"]
RATINGS: Final[tuple[str, ...]] = get_args(Rating)
