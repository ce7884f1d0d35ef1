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
    occurrence, fact_id = 1, fact.id
    while (existing_fact := unit.facts.get(fact_id)) is not None and _begins_after(
        unit, fact, existing_fact
    ):
        occurrence += 1
        fact_id = identity("fact", fact.text, str(occurrence))
    return replace(fact, id=fact_id)


def _begins_after(unit: UnitOfWork, fact: Fact, ended: Fact) -> bool:
    """Whether a fact begins when one of the same text had come to its end."""
    if ended.status != "superseded" or fact.status != "active":
        return False
    successor = unit.facts.get(ended.superseded_by or "")
    ended_at = ended.valid_to
    if ended_at is None and successor is not None:
        ended_at = successor.valid_from or successor.observed_at
    started_at = fact.valid_from or fact.observed_at
    return ended_at is not None and started_at is not None and started_at >= ended_at


def merge_fact(unit: UnitOfWork, fact: Fact) -> Fact:
    """Put a fact; one that is known already was seen once more, and keeps what it has."""
    fact = place(unit, fact)
    existing_fact = unit.facts.get(fact.id)
    if existing_fact is None:
        return unit.put_fact(fact)
    if existing_fact.status == "superseded" and fact.extractor != APPLICATION:
        return unit.put_fact(  # what held before something else did does not hold again by that
            replace(existing_fact, sources=merged_sources(existing_fact.sources, fact.sources))
        )
    return unit.put_fact(
        replace(
            fact,
            **merged_fields(existing_fact, fact),
            text=existing_fact.text,
            confidence=max(existing_fact.confidence, fact.confidence),
            first_observed_at=min(
                filter(None, (first_said(existing_fact), first_said(fact))), default=None
            ),
            valid_from=fact.valid_from or existing_fact.valid_from,
            category=fact.category or existing_fact.category,
            metadata={**existing_fact.metadata, **fact.metadata},
        )
    )


def supersede(unit: UnitOfWork, previous: Fact, fact: Fact) -> None:
    """Let a fact take the place of another one, which ends where the new one begins."""
    ended_at = previous.valid_to or fact.valid_from or fact.observed_at
    unit.put_fact(replace(superseded(previous, fact.id), valid_to=ended_at))


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
