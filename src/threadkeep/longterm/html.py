"""Lists of facts and instructions, as notebooks show them."""

from __future__ import annotations

from typing import Final, TypeVar

from threadkeep.types import Listing
from threadkeep.types.knowledge import Fact, Instruction

T = TypeVar("T", Fact, Instruction)

_SHOWN: Final = 50
_LONGEST: Final = 200


class Learned(Listing[T]):
    """Facts, or instructions; a table in a notebook: escaped, short, in the colours of the page."""

    def _repr_html_(self) -> str:
        import html  # for notebooks only

        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(_short(one.text))}</td>"
            f"<td style='opacity:.6;text-align:left'>{html.escape(_about(one))}</td></tr>"
            for one in self[:_SHOWN]
        )
        more = f" of {len(self)}" if len(self) > _SHOWN else ""
        return f"<table>{rows}</table><small>{min(len(self), _SHOWN)}{more} entries</small>"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _about(one: Fact | Instruction) -> str:
    """What sets it apart: its weight, where it holds, how often and when it was said."""
    said = one.observed_at or one.created_at
    parts = [
        "pinned" if one.pinned else "",
        one.status if one.status != "active" else "",
        *(_place(one) if isinstance(one, Instruction) else [f"{one.confidence:.0%} sure"]),
        f"seen {one.seen} times" if one.seen > 1 else "",
        "" if said is None else said.date().isoformat(),
    ]
    return ", ".join(part for part in parts if part)


def _place(one: Instruction) -> list[str]:
    agent = f"for the agent {_short(one.agent)}" if one.agent else ""
    session = f"in the session {_short(one.session)}" if one.session else ""
    return [one.priority, agent, session]
