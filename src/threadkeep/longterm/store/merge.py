"""What facts and instructions have in common when one is said again, or one is too many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Fact, Instruction, Refusal, merged_sources
from threadkeep.types.timestamps import utc_datetime

T = TypeVar("T", bound=Fact | Instruction)


def merged_fields(existing: T, again: T) -> dict[str, Any]:
    """The fields of an entry that was said again, as far as both kinds have them.

    What an application, or another mouth, says again is no longer in doubt; never the reverse.
    """
    is_active = again.status == "active" or existing.status == "active"
    return {
        "sources": merged_sources(existing.sources, again.sources),
        "status": "active" if is_active else existing.status,
        "reason": "" if is_active else existing.reason or again.reason,
        "gloss": existing.gloss or again.gloss,
        "superseded_by": None if is_active else existing.superseded_by,
        "pinned": existing.pinned or again.pinned,
        "seen": existing.seen + 1,
        "observed_at": max(filter(None, (existing.observed_at, again.observed_at)), default=None),
        "expires_at": again.expires_at or existing.expires_at,
        "created_at": existing.created_at,
        "seq": existing.seq,
    }


def evict(
    unit: UnitOfWork, entries: Mapping[str, T], limit: int, worth: Callable[[T], Any], now: float
) -> int:
    """Let the least worth entries go, so that no more than `limit` are left; pinned ones never.

    Returns:
        How many went; `unit.refusals` says which.
    """
    unpinned_entries = sorted((entry for entry in entries.values() if not entry.pinned), key=worth)
    surplus_entries = unpinned_entries[: max(0, len(entries) - limit)]
    for entry in surplus_entries:
        unit.put_refusal(
            Refusal(
                entry.id,
                "fact" if isinstance(entry, Fact) else "instruction",
                entry.text,
                "surplus",
                sources=entry.sources,
                gloss=entry.gloss,
                refused_at=utc_datetime(now),
            )
        )
        unit.drop(entry)
    return len(surplus_entries)
