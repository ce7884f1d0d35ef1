"""What code makes of an answer: which of it holds, what it takes the place of, what was asked for.

It is repeated on the current entries when another writer changed them; the model is not
asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from threadkeep.longterm import facts, instructions
from threadkeep.longterm.extraction import claim_check, reconcile_facts, reconcile_instructions
from threadkeep.longterm.extraction.evidence import (
    REQUEST,
    Evidence,
    latest_time,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.explicit_requests import MemoryRequest, explicit_requests
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.extraction.outcome import ExtractionCounts
from threadkeep.longterm.extraction.quotation import cited_sources
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import lineage
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Fact, Instruction, Status
from threadkeep.types.timestamps import utc_datetime

__all__ = ["ExtractionCounts", "reconcile"]


def reconcile(unit: UnitOfWork, evidence: Evidence) -> ExtractionCounts:
    """Merge the evidence of a batch into the entries of a user stream."""
    counts, requests = ExtractionCounts(), explicit_requests(evidence.batch.lines)
    for request in requests:
        if request.forget:
            _forget(unit, evidence, request)
    covered_lines: set[int] = set()
    for candidate, is_instruction in _proposals(evidence):
        kind = "instruction" if is_instruction else "fact"
        if _is_retracted(candidate, requests):
            counts.drop(evidence, kind, candidate.text, "retracted", candidate.lines)
            continue
        stored = (
            reconcile_instructions.reconcile_instruction(unit, evidence, candidate, counts)
            if is_instruction
            else reconcile_facts.reconcile_fact(unit, evidence, candidate, counts)
        )
        covered_lines.update(line.number for line in candidate.lines if stored)
    for kind, text in evidence.reply.uncited:
        counts.drop(evidence, kind, text, "not_said")
    for request in requests:
        if not request.forget and request.line.number not in covered_lines:
            _remember(unit, evidence, request, counts)
    surplus = facts.evict_surplus(unit, evidence.engine.now())
    counts.dropped += surplus + instructions.evict_surplus(unit, evidence.engine.now())
    for refusal in counts.refusals:
        unit.put_refusal(refusal)
    return counts


def _proposals(evidence: Evidence) -> Iterator[tuple[Candidate, bool]]:
    """What the model proposes, and whether it is an instruction, whatever the model calls it."""
    for candidate in evidence.reply.facts:
        yield candidate, _is_order(candidate)
    for candidate in evidence.reply.instructions:
        yield candidate, True


def _is_order(candidate: Candidate) -> bool:
    """Whether a fact tells the assistant what to do; a name that begins it is no verb."""
    around = "\n".join(line.text for line in candidate.lines)
    rows = recognise(candidate.text, around).rows
    if not claim_check.is_directive(candidate.text, rows):
        return False
    first, _, rest = candidate.text.partition(" ")
    is_name = first.rstrip(",") in around and any(
        f"{before}{first.rstrip(',')}" in around for before in ("y ", "r ", ", ", "n ", "d ", "e ")
    )
    return not is_name or claim_check.is_directive(rest, rows)


def _is_retracted(candidate: Candidate, requests: Iterable[MemoryRequest]) -> bool:
    """Whether the user asked to forget it, in the same breath or later."""
    last = max(line.number for line in candidate.lines)
    return any(
        request.forget and request.line.number >= last and request.matches(candidate.text)
        for request in requests
    )


def _remember(
    unit: UnitOfWork, evidence: Evidence, request: MemoryRequest, counts: ExtractionCounts
) -> None:
    """Keep what the user asked to be kept, in their words, since no model made more of it."""
    kind = "instruction" if request.is_instruction else "fact"
    is_order = request.is_instruction or claim_check.is_directive(request.text, request.rows)
    statement = f"The user asked to remember: {request.text}"
    text = storable_text(evidence, request.text if request.is_instruction else statement, kind)
    if text is None:
        return
    sources = cited_sources(
        [request.line], text, request.text, evidence.session, evidence.namespace
    )
    observed_at, now = latest_time([request.line]), utc_datetime(evidence.engine.now())
    status: Status = "quarantined" if request.is_reported else "active"
    if not request.is_instruction and is_order and not request.rows:
        status = "quarantined"
    reason = "hearsay" if status == "quarantined" else ""
    if request.is_instruction:
        instruction = Instruction(
            identity("instruction", text, None, None),
            text,
            "explicit",
            sources=sources,
            status=status,
            observed_at=observed_at,
            created_at=now,
            reason=reason,
        )
        if instruction.id not in unit.instructions and not was_forgotten(
            unit, instruction.id, observed_at
        ):
            instructions.merge_instruction(unit, replace(instruction, extractor=REQUEST))
            counts.instructions += 1
            counts.quarantined += status == "quarantined"
        return
    fact = Fact(
        identity("fact", text),
        text,
        sources,
        status,
        observed_at=observed_at,
        first_observed_at=observed_at,
        extractor=REQUEST,
        created_at=now,
        reason=reason,
    )
    if fact.id not in unit.facts and not was_forgotten(unit, fact.id, observed_at):
        facts.merge_fact(unit, fact)
        counts.facts += 1
        counts.quarantined += status == "quarantined"


def _forget(unit: UnitOfWork, evidence: Evidence, request: MemoryRequest) -> None:
    """Remove what the user asked to forget, as far as it was said before."""
    now = evidence.engine.now()
    for fact in list(unit.facts.values()):
        texts = filter(None, (fact.text, fact.gloss))
        if any(request.matches(text) for text in texts) and _was_said_before(
            fact.observed_at, request
        ):
            for fact_id in lineage(unit.facts.values(), fact.id):
                unit.forget_fact(fact_id, now)
    for instruction in list(unit.instructions.values()):
        if request.matches(instruction.text) and _was_said_before(instruction.observed_at, request):
            unit.drop_instruction(instruction.id)
            unit.mark_forgotten(instruction.id, now)
    for refusal in list(unit.refusals.values()):
        if request.matches(refusal.text):
            unit.drop_refusal(refusal.id)


def _was_said_before(observed_at: datetime | None, request: MemoryRequest) -> bool:
    requested_at = request.line.item.created_at
    return observed_at is None or requested_at is None or observed_at <= requested_at
