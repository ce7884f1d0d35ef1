"""What code makes of an answer: which of it holds, what it takes the place of, what was asked for.

It is repeated on the current entries when another writer changed them; the model is not
asked again.
"""

from __future__ import annotations

from collections.abc import Iterator

from threadkeep.longterm import facts, instructions
from threadkeep.longterm.extraction import (
    claim_check,
    reconcile_facts,
    reconcile_instructions,
    reconcile_requests,
)
from threadkeep.longterm.extraction.evidence import Evidence
from threadkeep.longterm.extraction.explicit_requests import explicit_requests
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.extraction.outcome import ExtractionCounts
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.store.unit_of_work import UnitOfWork

__all__ = ["ExtractionCounts", "reconcile"]


def reconcile(unit: UnitOfWork, evidence: Evidence) -> ExtractionCounts:
    """Merge the evidence of a batch into the entries of a user stream."""
    counts, requests = ExtractionCounts(), explicit_requests(evidence.batch.lines)
    for request in requests:
        if request.forget:
            reconcile_requests.forget(unit, evidence, request)
    covered_numbers: set[int] = set()
    for candidate, is_instruction in _proposals(evidence):
        entry_kind = "instruction" if is_instruction else "fact"
        if reconcile_requests.is_retracted(candidate, requests):
            counts.drop(evidence, entry_kind, candidate.text, "retracted", candidate.lines)
            continue
        is_stored = (
            reconcile_instructions.reconcile_instruction(unit, evidence, candidate, counts)
            if is_instruction
            else reconcile_facts.reconcile_fact(unit, evidence, candidate, counts)
        )
        covered_numbers.update(line.number for line in candidate.lines if is_stored)
    for entry_kind, uncited_text in evidence.reply.uncited:
        counts.drop(evidence, entry_kind, uncited_text, "not_said")
    for request in requests:
        if not request.forget and request.line.number not in covered_numbers:
            reconcile_requests.remember(unit, evidence, request, counts)
    surplus_fact_count = facts.evict_surplus(unit, evidence.engine.now())
    counts.dropped += surplus_fact_count + instructions.evict_surplus(unit, evidence.engine.now())
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
    cited_text = "\n".join(line.text for line in candidate.lines)
    languages = recognise(candidate.text, cited_text).rows
    if not claim_check.is_directive(candidate.text, languages):
        return False
    first_word, _, other_words = candidate.text.partition(" ")
    is_name = first_word.rstrip(",") in cited_text and any(
        f"{preceding_text}{first_word.rstrip(',')}" in cited_text
        for preceding_text in ("y ", "r ", ", ", "n ", "d ", "e ")
    )
    return not is_name or claim_check.is_directive(other_words, languages)
