"""What the user asked for in so many words: remember this, forget that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from threadkeep.longterm import facts, instructions
from threadkeep.longterm.extraction import claim_check
from threadkeep.longterm.extraction.evidence import (
    REQUEST,
    Evidence,
    latest_time,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.explicit_requests import MemoryRequest
from threadkeep.longterm.extraction.outcome import ExtractionCounts
from threadkeep.longterm.extraction.quotation import cited_sources
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import lineage
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Fact, Instruction
from threadkeep.types.timestamps import utc_datetime


def remember(
    unit: UnitOfWork, evidence: Evidence, request: MemoryRequest, counts: ExtractionCounts
) -> None:
    """Keep what the user asked to be kept, in their words, since no model made more of it."""
    requested_entry = _entry(evidence, request)
    if requested_entry is None or was_forgotten(
        unit, requested_entry.id, requested_entry.observed_at
    ):
        return
    if isinstance(requested_entry, Instruction):
        if requested_entry.id in unit.instructions:
            return
        instructions.merge_instruction(unit, requested_entry)
        counts.instructions += 1
    else:
        if requested_entry.id in unit.facts:
            return
        facts.merge_fact(unit, requested_entry)
        counts.facts += 1
    counts.quarantined += requested_entry.status == "quarantined"


def _entry(evidence: Evidence, request: MemoryRequest) -> Fact | Instruction | None:
    """What is stored of a request; `None` = nothing of it may be."""
    is_instruction, request_text = request.is_instruction, request.text
    raw_text = request_text if is_instruction else f"The user asked to remember: {request_text}"
    storable_statement = storable_text(
        evidence, raw_text, "instruction" if is_instruction else "fact"
    )
    if storable_statement is None:
        return None
    observed_at, is_doubtful = latest_time([request.line]), _is_doubtful(request)
    entry_fields: dict[str, Any] = {
        "sources": cited_sources(
            [request.line], storable_statement, request_text, evidence.session, evidence.namespace
        ),
        "status": "quarantined" if is_doubtful else "active",
        "observed_at": observed_at,
        "extractor": REQUEST,
        "created_at": utc_datetime(evidence.engine.now()),
        "reason": "hearsay" if is_doubtful else "",
    }
    if is_instruction:
        instruction_id = identity("instruction", storable_statement, None, None)
        return Instruction(instruction_id, storable_statement, "explicit", **entry_fields)
    return Fact(
        identity("fact", storable_statement),
        storable_statement,
        first_observed_at=observed_at,
        **entry_fields,
    )


def _is_doubtful(request: MemoryRequest) -> bool:
    """Whether it is another's words, or an order in a language of which nothing is known."""
    return request.is_reported or (
        not request.is_instruction
        and not request.rows
        and claim_check.is_directive(request.text, request.rows)
    )


def is_retracted(candidate: Candidate, requests: Iterable[MemoryRequest]) -> bool:
    """Whether the user asked to forget it, in the same breath or later."""
    last_line_number = max(line.number for line in candidate.lines)
    return any(
        request.forget
        and request.line.number >= last_line_number
        and request.matches(candidate.text)
        for request in requests
    )


def forget(unit: UnitOfWork, evidence: Evidence, request: MemoryRequest) -> None:
    """Remove what the user asked to forget, as far as it was said before."""
    now = evidence.engine.now()
    for fact in list(unit.facts.values()):
        fact_texts = filter(None, (fact.text, fact.gloss))
        if any(request.matches(text) for text in fact_texts) and _was_said_before(
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
