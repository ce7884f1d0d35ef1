"""The states of what was learned: how far a fact counts, and who an instruction comes from."""

from __future__ import annotations

from typing import Final, Literal, get_args

Status = Literal["active", "superseded", "quarantined"]
STATUSES: Final[tuple[str, ...]] = get_args(Status)

Priority = Literal["explicit", "preference", "inferred"]
PRIORITIES: Final[tuple[str, ...]] = get_args(Priority)
