"""What becomes of a fact that a model proposes, beside those that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from threadkeep.errors import InputError
from threadkeep.longterm import facts
from threadkeep.longterm.extraction import claim_check
from threadkeep.longterm.extraction.batch import TranscriptLine
from threadkeep.longterm.extraction.claim_check import Verdict
from threadkeep.longterm.extraction.evidence import (
    REQUEST,
    Evidence,
    latest_time,
    related_entry,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.outcome import ExtractionCounts
from threadkeep.longterm.extraction.quotation import cited_sources, spoken_by_user
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.extraction.sameness import same_form, same_sense, same_subject
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.merge_facts import supersede
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.types.knowledge import Fact
from threadkeep.types.timestamps import parse_time, utc_datetime

_ECHOES = ("assistant", "not_own")


def reconcile_fact(
    unit: UnitOfWork, evidence: Evidence, candidate: Candidate, counts: ExtractionCounts
) -> bool:
    """Learn a fact, if it was said; whether it was."""
    verdict = claim_check.judge(
        candidate.text, candidate.lines, evidence.batch, evidence.user, candidate.quote
    )
    if verdict.status == "active" and evidence.is_doubted(candidate.text):
        verdict = verdict._replace(status="quarantined", reason="unverified")
    if verdict.status is None:
        counts.drop(
            evidence,
            "fact",
            candidate.text,
            verdict.reason or "not_said",
            candidate.lines,
            quote=candidate.quote,
        )
        return False
    fact = _fact(evidence, candidate, verdict)
    if fact is None:
        counts.drop(evidence, "fact", candidate.text, "unstorable")
        return False
    if was_forgotten(unit, fact.id, fact.observed_at):
        counts.drop(evidence, "fact", fact.text, "forgotten", candidate.lines)
        return False
    return _store(unit, evidence, candidate, fact, counts)


def _fact(evidence: Evidence, candidate: Candidate, verdict: Verdict) -> Fact | None:
    """The fact as it may be stored, if it may."""
    text = storable_text(evidence, verdict.text, "fact")
    gloss = storable_text(evidence, verdict.gloss, "fact") if verdict.gloss else ""
    if text is None or gloss is None:
        return None
    observed_at = _said_at(evidence, candidate)
    return Fact(
        identity("fact", text),
        text,
        cited_sources(candidate.lines, text, candidate.quote, evidence.session, evidence.namespace),
        status=verdict.status or "quarantined",
        confidence=candidate.confidence,
        observed_at=observed_at,
        first_observed_at=observed_at,
        valid_from=_date(candidate.valid_from),
        valid_to=_date(candidate.valid_to),
        extractor=evidence.extractor_name,
        created_at=utc_datetime(evidence.engine.now()),
        gloss=gloss,
        reason=verdict.reason or "",
    )


def _said_at(evidence: Evidence, candidate: Candidate) -> datetime | None:
    """When the user said it last; of what the user did not say, when it was written."""
    times = [statement.said_at for statement in spoken_by_user(candidate.lines, evidence.batch)]
    return latest_time(times or candidate.lines)


def _store(
    unit: UnitOfWork,
    evidence: Evidence,
    candidate: Candidate,
    fact: Fact,
    counts: ExtractionCounts,
) -> bool:
    related_fact = related_entry(candidate, evidence.facts, unit.facts)
    equivalent_fact = _equivalent_fact(unit, evidence, fact, related_fact, candidate.relation)
    if fact.reason in _ECHOES and (equivalent_fact is not None or fact.id in unit.facts):
        return True  # who repeats what is known is no witness
    if equivalent_fact is not None:
        fact = _restated(fact, equivalent_fact)
    elif related_fact is not None and candidate.relation in ("updates", "contradicts"):
        fact = _supersede(unit, evidence, facts.place(unit, fact), related_fact)
    if fact.status == "quarantined":
        counts.quarantine(fact)
    counts.facts += 1
    stored_fact = facts.merge_fact(unit, fact)
    if equivalent_fact is None:
        _supersede_requests(unit, stored_fact, candidate.lines)
    return True


def _equivalent_fact(
    unit: UnitOfWork, evidence: Evidence, fact: Fact, related: Fact | None, relation: str
) -> Fact | None:
    """A known fact that says the same, in another form."""
    if related is not None and relation == "same" and related.status != "superseded":
        is_same = same_sense(related.text, fact.text, evidence.user)
        if related.id != fact.id and is_same and related.extractor != REQUEST:
            return related
    return next(
        (
            existing
            for existing in unit.facts.values()
            if existing.id != fact.id
            and existing.status != "superseded"
            and existing.extractor != REQUEST
            and same_form(existing.text, fact.text)
        ),
        None,
    )


def _restated(fact: Fact, existing: Fact) -> Fact:
    """What was said again, in the words that are known already."""
    return replace(
        fact,
        id=existing.id,
        text=existing.text,
        gloss=existing.gloss,
        extractor=existing.extractor,
        valid_from=existing.valid_from or fact.valid_from,
        valid_to=existing.valid_to,
    )


def _supersede(unit: UnitOfWork, evidence: Evidence, fact: Fact, previous: Fact) -> Fact:
    """The fact, once it took the place of an older one; the older one holds if it is not older."""
    if (
        fact.status != "active"
        or previous.status != "active"
        or previous.pinned
        or previous.id == fact.id
        or not _same_subject(fact, previous, evidence.user)
    ):
        return fact
    if previous.observed_at and fact.observed_at and fact.observed_at < previous.observed_at:
        return superseded(fact, previous.id)
    supersede(unit, previous, fact)
    return fact


def _same_subject(fact: Fact, previous: Fact, user: str | None) -> bool:
    return any(
        same_subject(text, previous_text, user)
        for text in filter(None, (fact.text, fact.gloss))
        for previous_text in filter(None, (previous.text, previous.gloss))
    )


def _supersede_requests(unit: UnitOfWork, fact: Fact, lines: Sequence[TranscriptLine]) -> None:
    """Let a fact take the place of what code took from the same words when there was no model."""
    item_ids = {line.item.id for line in lines}
    for existing_fact in list(unit.facts.values()):
        is_from_request = (
            existing_fact.extractor == REQUEST
            and existing_fact.status == "active"
            and existing_fact.id != fact.id
        )
        cites_same_items = is_from_request and any(
            source.item in item_ids for source in existing_fact.sources
        )
        if cites_same_items and fact.status == "active":
            unit.put_fact(superseded(existing_fact, fact.id))


def _date(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_time(text)
    except InputError:
        return None
