"""What was let go, and what waits for approval: listed with reasons, and approved by people."""

from __future__ import annotations

from threadkeep.errors import InputError
from threadkeep.longterm.html import RefusalListing
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.printable import shown
from threadkeep.types import Listing
from threadkeep.types.knowledge import Fact, Instruction, Refusal


def listed(unit: UnitOfWork, limit: int | None) -> Listing[Refusal]:
    """What is not known, the newest last.

    Raises:
        InputError: `limit` is no whole number of at least 1.
    """
    if limit is not None and (type(limit) is not int or limit < 1):
        raise InputError(f"limit must be a whole number of at least 1, got {shown(limit)}")
    entries: list[Fact | Instruction] = [*unit.facts.values(), *unit.instructions.values()]
    quarantined_entries = [_waiting(entry) for entry in entries if entry.status == "quarantined"]
    refusals = sorted((*unit.refusals.values(), *quarantined_entries), key=_seconds)
    return RefusalListing(refusals if limit is None else refusals[-limit:])


def _waiting(entry: Fact | Instruction) -> Refusal:
    return Refusal(
        entry.id,
        "fact" if isinstance(entry, Fact) else "instruction",
        entry.text,
        entry.reason or "unconfirmed",
        "quarantined",
        entry.sources,
        entry.gloss,
        entry.created_at,
    )


def _seconds(refusal: Refusal) -> float:
    return 0.0 if refusal.refused_at is None else refusal.refused_at.timestamp()
