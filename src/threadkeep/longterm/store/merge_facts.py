"""How facts are put beside those that are known: seen again, true again, or one too many."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.merge import evict, merged_fields
from threadkeep.longterm.store.unit_of_work import MAX_FACTS, UnitOfWork, superseded
from threadkeep.types.knowledge import APPLICATION, Fact, merged_sources


def place(unit: UnitOfWork, fact: Fact) -> Fact:
    """A fact with the id it will have: what is true for a second time is a fact of its own."""
    occurrence, id = 1, fact.id
    while (existing := unit.facts.get(id)) is not None and _begins_after(unit, fact, existing):
        occurrence += 1
        id = identity("fact", fact.text, str(occurrence))
    return replace(fact, id=id)


def _begins_after(unit: UnitOfWork, fact: Fact, ended: Fact) -> bool:
    """Whether a fact begins when one of the same text had come to its end."""
    if ended.status != "superseded" or fact.status != "active":
        return False
    successor = unit.facts.get(ended.superseded_by or "")
    end = ended.valid_to
    if end is None and successor is not None:
        end = successor.valid_from or successor.observed_at
    start = fact.valid_from or fact.observed_at
    return end is not None and start is not None and start >= end


def merge_fact(unit: UnitOfWork, fact: Fact) -> Fact:
    """Put a fact; one that is known already was seen once more, and keeps what it has."""
    fact = place(unit, fact)
    existing = unit.facts.get(fact.id)
    if existing is None:
        return unit.put_fact(fact)
    if existing.status == "superseded" and fact.extractor != APPLICATION:
        return unit.put_fact(  # what held before something else did does not hold again by that
            replace(existing, sources=merged_sources(existing.sources, fact.sources))
        )
    return unit.put_fact(
        replace(
            fact,
            **merged_fields(existing, fact),
            text=existing.text,
            confidence=max(existing.confidence, fact.confidence),
            first_observed_at=min(
                filter(None, (first_said(existing), first_said(fact))), default=None
            ),
            valid_from=fact.valid_from or existing.valid_from,
            category=fact.category or existing.category,
            metadata={**existing.metadata, **fact.metadata},
        )
    )


def supersede(unit: UnitOfWork, previous: Fact, fact: Fact) -> None:
    """Let a fact take the place of another one, which ends where the new one begins."""
    end = previous.valid_to or fact.valid_from or fact.observed_at
    unit.put_fact(replace(superseded(previous, fact.id), valid_to=end))


def first_said(fact: Fact) -> datetime | None:
    """When it was first said, as far as that is known."""
    return fact.first_observed_at or fact.observed_at or fact.created_at


def evict_surplus(unit: UnitOfWork, now: float, limit: int = MAX_FACTS) -> int:
    """Let the least worth facts go, if there are too many, and say so. Returns how many."""
    return evict(unit, unit.facts, limit, rank_key, now)


def rank_key(fact: Fact) -> tuple[bool, float, float]:
    """How much a fact is worth beside others: that it holds, how sure it is, how new."""
    said_at = fact.observed_at or fact.created_at
    certainty = fact.confidence * (1 + min(fact.seen, 9) / 10)
    return fact.status == "active", certainty, 0.0 if said_at is None else said_at.timestamp()
