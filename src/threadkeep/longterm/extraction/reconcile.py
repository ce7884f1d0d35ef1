"""What code makes of an answer: which of it holds, what it takes the place of, what was asked for.

It is repeated on the current entries when another writer changed them; the model is not
asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from threadkeep.longterm import facts, instructions
from threadkeep.longterm.extraction import grounding, reconcile_facts, reconcile_instructions
from threadkeep.longterm.extraction.evidence import (
    REQUEST,
    Evidence,
    latest_time,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.explicit_requests import MemoryRequest, explicit_requests
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import lineage
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Fact, Instruction, Status
from threadkeep.types.timestamps import utc_datetime


@dataclass(slots=True)
class ExtractionCounts:
    """What a merge changed: how many facts and instructions were learned, or seen again."""

    facts: int = 0
    instructions: int = 0


def reconcile(unit: UnitOfWork, evidence: Evidence) -> ExtractionCounts:
    """Merge the evidence of a batch into the entries of a user stream."""
    counts, requests = ExtractionCounts(), explicit_requests(evidence.batch.lines)
    for request in requests:
        if request.forget:
            _forget(unit, evidence, request)
    covered_lines: set[int] = set()
    for candidate, is_instruction in _proposals(evidence):
        if _is_retracted(candidate, requests):
            continue
        if is_instruction:
            stored = reconcile_instructions.reconcile_instruction(unit, evidence, candidate)
            counts.instructions += stored
        else:
            stored = reconcile_facts.reconcile_fact(unit, evidence, candidate)
            counts.facts += stored
        covered_lines.update(line.number for line in candidate.lines if stored)
    for request in requests:
        if not request.forget and request.line.number not in covered_lines:
            _remember(unit, evidence, request, counts)
    facts.evict_surplus(unit)
    instructions.evict_surplus(unit)
    return counts


def _proposals(evidence: Evidence) -> Iterator[tuple[Candidate, bool]]:
    """What the model proposes, and whether it is an instruction, whatever the model calls it."""
    for candidate in evidence.reply.facts:
        yield candidate, grounding.is_directive(candidate.text)
    for candidate in evidence.reply.instructions:
        yield candidate, True


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
    statement = f"The user asked to remember: {request.text}"
    text = storable_text(evidence, request.text if request.is_instruction else statement, kind)
    if text is None:
        return
    sources = grounding.cited_sources(
        [request.line], text, request.text, evidence.session, evidence.namespace
    )
    observed_at, now = latest_time([request.line]), utc_datetime(evidence.engine.now())
    status: Status = "quarantined" if request.is_reported else "active"
    if request.is_instruction:
        id = identity("instruction", text, None, None)
        instruction = Instruction(
            id,
            text,
            "explicit",
            sources=sources,
            status=status,
            observed_at=observed_at,
            created_at=now,
        )
        if id not in unit.instructions and not was_forgotten(unit, id, observed_at):
            instructions.merge_instruction(unit, replace(instruction, extractor=REQUEST))
            counts.instructions += 1
        return
    fact = Fact(
        identity("fact", text),
        text,
        sources,
        status,
        observed_at=observed_at,
        extractor=REQUEST,
        created_at=now,
    )
    if fact.id not in unit.facts and not was_forgotten(unit, fact.id, observed_at):
        facts.merge_fact(unit, fact)
        counts.facts += 1


def _forget(unit: UnitOfWork, evidence: Evidence, request: MemoryRequest) -> None:
    """Remove what the user asked to forget, as far as it was said before."""
    now = evidence.engine.now()
    for fact in list(unit.facts.values()):
        if request.matches(fact.text) and _was_said_before(fact.observed_at, request):
            for fact_id in lineage(unit.facts.values(), fact.id):
                unit.drop_fact(fact_id)
                unit.mark_forgotten(fact_id, now)
    for instruction in list(unit.instructions.values()):
        if request.matches(instruction.text) and _was_said_before(instruction.observed_at, request):
            unit.drop_instruction(instruction.id)
            unit.mark_forgotten(instruction.id, now)


def _was_said_before(observed_at: datetime | None, request: MemoryRequest) -> bool:
    requested_at = request.line.item.created_at
    return observed_at is None or requested_at is None or observed_at <= requested_at
