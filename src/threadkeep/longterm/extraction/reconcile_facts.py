"""What becomes of a fact that a model proposes, beside those that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from threadkeep.errors import InputError
from threadkeep.longterm import facts
from threadkeep.longterm.extraction import grounding
from threadkeep.longterm.extraction.batch import TranscriptLine
from threadkeep.longterm.extraction.evidence import (
    REQUEST,
    Evidence,
    latest_time,
    related_entry,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.extraction.text_features import content_stems, is_consistent, jaccard
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.types.knowledge import Fact
from threadkeep.types.timestamps import parse_time, utc_datetime

_MIN_OVERLAP: Final = 0.5


def reconcile_fact(unit: UnitOfWork, evidence: Evidence, candidate: Candidate) -> bool:
    """Learn a fact, if it was said; whether it was."""
    status = grounding.grounded_status(
        candidate.text, candidate.lines, evidence.batch, evidence.user
    )
    text = storable_text(evidence, candidate.text, "fact")
    if status is None or text is None:
        return False
    observed_at = latest_time(candidate.lines)
    fact = Fact(
        identity("fact", text),
        text,
        grounding.cited_sources(
            candidate.lines, text, candidate.quote, evidence.session, evidence.namespace
        ),
        status=status,
        confidence=candidate.confidence,
        observed_at=observed_at,
        valid_from=_date(candidate.valid_from),
        valid_to=_date(candidate.valid_to),
        extractor=evidence.extractor_name,
        created_at=utc_datetime(evidence.engine.now()),
    )
    if was_forgotten(unit, fact.id, observed_at):
        return False
    related = related_entry(candidate, evidence.facts, unit.facts)
    equivalent = _equivalent_fact(unit, fact, related if candidate.relation == "same" else None)
    if equivalent is not None:
        facts.merge_fact(unit, _restated(fact, equivalent))
        return True
    if related is not None and candidate.relation in ("updates", "contradicts"):
        fact = _supersede(unit, fact, related)
    facts.merge_fact(unit, fact)
    _supersede_requests(unit, fact, candidate.lines)
    return True


def _equivalent_fact(unit: UnitOfWork, fact: Fact, related: Fact | None) -> Fact | None:
    """A known fact that says the same: never where numbers, dates or a negation differ."""
    stems = content_stems(fact.text)
    for existing in unit.facts.values():
        if (
            existing.id == fact.id
            or existing.status == "superseded"
            or existing.extractor == REQUEST
        ):
            continue
        is_related = related is not None and existing.id == related.id
        if is_related and jaccard(existing.text, fact.text) < _MIN_OVERLAP:
            continue
        if (is_related or content_stems(existing.text) == stems) and is_consistent(
            existing.text, fact.text
        ):
            return existing
    return None


def _restated(fact: Fact, existing: Fact) -> Fact:
    """What was said again, in the words that are known already."""
    return replace(
        fact,
        id=existing.id,
        text=existing.text,
        extractor=existing.extractor,
        valid_from=existing.valid_from or fact.valid_from,
        valid_to=existing.valid_to,
    )


def _supersede(unit: UnitOfWork, fact: Fact, previous: Fact) -> Fact:
    """The fact, once it took the place of an older one; the older one holds if it is not older."""
    shared_stems = content_stems(fact.text) & content_stems(previous.text)
    if (
        fact.status != "active"
        or previous.status != "active"
        or previous.pinned
        or not shared_stems
    ):
        return fact
    if previous.id == fact.id:
        return fact
    if previous.observed_at and fact.observed_at and fact.observed_at < previous.observed_at:
        return superseded(fact, previous.id)
    closed = superseded(previous, fact.id)
    unit.put_fact(
        replace(closed, valid_to=previous.valid_to or fact.valid_from or fact.observed_at)
    )
    return fact


def _supersede_requests(unit: UnitOfWork, fact: Fact, lines: Sequence[TranscriptLine]) -> None:
    """Let a fact take the place of what code took from the same words when there was no model."""
    items = {line.item.id for line in lines}
    for existing in list(unit.facts.values()):
        is_from_request = (
            existing.extractor == REQUEST and existing.status == "active" and existing.id != fact.id
        )
        cites_same_items = is_from_request and any(
            source.item in items for source in existing.sources
        )
        if cites_same_items and fact.status == "active":
            unit.put_fact(superseded(existing, fact.id))


def _date(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_time(text)
    except InputError:
        return None
