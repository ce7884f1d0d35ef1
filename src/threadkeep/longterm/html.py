"""Lists of facts and instructions, as notebooks show them."""

from __future__ import annotations

from typing import Final, TypeVar

from threadkeep.types import Listing
from threadkeep.types.knowledge import Fact, Instruction

T = TypeVar("T", Fact, Instruction)

_MAX_ROWS: Final = 50
_MAX_CHARACTERS: Final = 200


class EntryListing(Listing[T]):
    """Facts, or instructions; a table in a notebook: escaped, short, in the colours of the page."""

    def _repr_html_(self) -> str:
        import html  # for notebooks only

        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(_truncated(entry.text))}</td>"
            f"<td style='opacity:.6;text-align:left'>{html.escape(_description(entry))}</td></tr>"
            for entry in self[:_MAX_ROWS]
        )
        more = f" of {len(self)}" if len(self) > _MAX_ROWS else ""
        return f"<table>{rows}</table><small>{min(len(self), _MAX_ROWS)}{more} entries</small>"


def _truncated(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


def _description(entry: Fact | Instruction) -> str:
    """What sets it apart: its weight, where it holds, how often and when it was said."""
    said_at = entry.observed_at or entry.created_at
    parts = [
        "pinned" if entry.pinned else "",
        entry.status if entry.status != "active" else "",
        *(_scope(entry) if isinstance(entry, Instruction) else [f"{entry.confidence:.0%} sure"]),
        f"seen {entry.seen} times" if entry.seen > 1 else "",
        "" if said_at is None else said_at.date().isoformat(),
    ]
    return ", ".join(part for part in parts if part)


def _scope(entry: Instruction) -> list[str]:
    agent = f"for the agent {_truncated(entry.agent)}" if entry.agent else ""
    session = f"in the session {_truncated(entry.session)}" if entry.session else ""
    return [entry.priority, agent, session]
