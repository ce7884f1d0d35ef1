"""What becomes of an instruction that a model proposes, beside those that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from threadkeep.longterm import instructions
from threadkeep.longterm.extraction import grounding
from threadkeep.longterm.extraction.authorship import is_explicit, supporting_sentence
from threadkeep.longterm.extraction.evidence import (
    Evidence,
    latest_time,
    related_entry,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.extraction.text_features import (
    addresses,
    containment,
    content_stems,
    is_consistent,
    numbers,
)
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.types.knowledge import PRIORITIES, Instruction, Status
from threadkeep.types.timestamps import utc_datetime

_MIN_SHARED: Final = 0.75


def reconcile_instruction(unit: UnitOfWork, evidence: Evidence, candidate: Candidate) -> bool:
    """Learn an instruction, if the user gave it; in quarantine, if it only stands in their text."""
    lines = [line for line in candidate.lines if line.by_user]
    text = storable_text(evidence, candidate.text, "instruction")
    if not lines or text is None:
        return False
    sentence = next(
        (supporting for line in lines if (supporting := supporting_sentence(line.text, text))), None
    )
    status: Status = "active" if sentence is not None else "quarantined"
    passage = sentence if sentence is not None else "\n".join(line.text for line in lines)
    if not addresses(text) <= addresses(passage) or not numbers(text) <= numbers(passage):
        return False
    if sentence is None and containment(content_stems(text), content_stems(passage)) < _MIN_SHARED:
        return False
    observed_at = latest_time(lines)
    instruction = Instruction(
        identity("instruction", text, None, None),
        text,
        "inferred" if sentence is None else "explicit" if is_explicit(sentence) else "preference",
        sources=grounding.cited_sources(
            lines, text, sentence or candidate.quote, evidence.session, evidence.namespace
        ),
        status=status,
        observed_at=observed_at,
        extractor=evidence.extractor_name,
        created_at=utc_datetime(evidence.engine.now()),
    )
    return _store(
        unit,
        instruction,
        related_entry(candidate, evidence.instructions, unit.instructions),
        candidate,
    )


def _store(
    unit: UnitOfWork, instruction: Instruction, existing: Instruction | None, candidate: Candidate
) -> bool:
    """Learn an instruction beside those that hold."""
    if was_forgotten(unit, instruction.id, instruction.observed_at):
        return False
    equivalent = _equivalent_instruction(unit, instruction)
    if equivalent is not None:
        restated = replace(
            instruction, id=equivalent.id, text=equivalent.text, extractor=equivalent.extractor
        )
        instructions.merge_instruction(unit, restated)
        return True
    if existing is not None and candidate.relation in ("updates", "contradicts"):
        instruction = _resolve_conflict(unit, instruction, existing)
    instructions.merge_instruction(unit, instruction)
    return True


def _equivalent_instruction(unit: UnitOfWork, instruction: Instruction) -> Instruction | None:
    stems = content_stems(instruction.text)
    return next(
        (
            existing
            for existing in unit.instructions.values()
            if existing.id != instruction.id
            and existing.status != "superseded"
            and (existing.agent, existing.session) == (None, None)
            and content_stems(existing.text) == stems
            and is_consistent(existing.text, instruction.text)
        ),
        None,
    )


def _resolve_conflict(
    unit: UnitOfWork, instruction: Instruction, previous: Instruction
) -> Instruction:
    """Of two that contradict each other the newest explicit one holds."""
    if (
        instruction.status != "active"
        or previous.status != "active"
        or previous.pinned
        or previous.id == instruction.id
    ):
        return instruction
    is_weaker = PRIORITIES.index(instruction.priority) > PRIORITIES.index(previous.priority)
    is_earlier = (
        instruction.observed_at
        and previous.observed_at
        and instruction.observed_at < previous.observed_at
    )
    if is_weaker or is_earlier:
        return superseded(instruction, previous.id)
    unit.put_instruction(superseded(previous, instruction.id))
    return instruction
