"""Lists of facts, instructions and refusals, as notebooks show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from threadkeep.types import Listing
from threadkeep.types.html_table import Cell, table, truncate
from threadkeep.types.knowledge import Fact, Instruction, Refusal

T = TypeVar("T", Fact, Instruction)

_MAX_ROWS: Final = 50


class EntryListing(Listing[T]):
    """Facts, or instructions; a table in a notebook."""

    def _repr_html_(self) -> str:
        return entries_table(self)


def entries_table(entries: Sequence[Fact | Instruction]) -> str:
    """Facts or instructions as an HTML table."""
    table_rows = [
        [Cell(entry.text), Cell(_description(entry), quiet=True)] for entry in entries[:_MAX_ROWS]
    ]
    return table(table_rows, _count(entries, "entries"))


class RefusalListing(Listing[Refusal]):
    """What was refused; a table in a notebook, the newest first."""

    def _repr_html_(self) -> str:
        table_rows = [
            [Cell(refusal.text), Cell(f"{refusal.kind} {refusal.status}: {refusal.reason}", True)]
            for refusal in self[: -_MAX_ROWS - 1 : -1]
        ]
        return table(table_rows, _count(self, "refusals"))


def _count(rows: Sequence[object], noun: str) -> str:
    total_suffix = f" of {len(rows)}" if len(rows) > _MAX_ROWS else ""
    return f"{min(len(rows), _MAX_ROWS)}{total_suffix} {noun}"


def _description(entry: Fact | Instruction) -> str:
    """What sets it apart: its weight, where it holds, how often and when it was said."""
    said_at = entry.observed_at or entry.created_at
    phrases = [
        "pinned" if entry.pinned else "",
        entry.status if entry.status != "active" else "",
        *(_scope(entry) if isinstance(entry, Instruction) else [f"{entry.confidence:.0%} sure"]),
        f"seen {entry.seen} times" if entry.seen > 1 else "",
        "" if said_at is None else said_at.date().isoformat(),
    ]
    return ", ".join(phrase for phrase in phrases if phrase)


def _scope(entry: Instruction) -> list[str]:
    agent_phrase = f"for the agent {truncate(entry.agent)}" if entry.agent else ""
    session_phrase = f"in the session {truncate(entry.session)}" if entry.session else ""
    return [entry.priority, agent_phrase, session_phrase]
