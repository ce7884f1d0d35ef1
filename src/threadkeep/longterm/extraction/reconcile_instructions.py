"""What becomes of an instruction that a model proposes, beside those that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from threadkeep.longterm import instructions
from threadkeep.longterm.extraction.batch import TranscriptLine
from threadkeep.longterm.extraction.evidence import (
    Evidence,
    latest_time,
    related_entry,
    storable_text,
    was_forgotten,
)
from threadkeep.longterm.extraction.languages.numerals import readings, unsaid
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.extraction.outcome import ExtractionCounts
from threadkeep.longterm.extraction.quotation import cited_sources
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.extraction.sameness import same_form, same_sense
from threadkeep.longterm.extraction.text_features import addresses
from threadkeep.longterm.extraction.wishes import Wish, find_wish, is_asked, is_lasting
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.types.knowledge import Instruction, Reason
from threadkeep.types.states import PRIORITIES, Priority
from threadkeep.types.timestamps import utc_datetime


def reconcile_instruction(
    unit: UnitOfWork, evidence: Evidence, candidate: Candidate, counts: ExtractionCounts
) -> bool:
    """Learn an instruction, if the user gave it; in quarantine, if it only stands in their text."""
    user_lines = [line for line in candidate.lines if line.by_user]
    if not user_lines:
        counts.drop(evidence, "instruction", candidate.text, "assistant", candidate.lines)
        return False
    wish = _wish(user_lines, candidate)
    drop_reason = _unsaid(wish, user_lines, candidate)
    if drop_reason is not None:
        counts.drop(
            evidence, "instruction", candidate.text, drop_reason, user_lines, quote=candidate.quote
        )
        return False
    if wish.sentence is not None and evidence.is_doubted(candidate.text):
        wish = Wish(None, "unverified")
    instruction = _instruction(evidence, candidate, user_lines, wish)
    if instruction is None:
        counts.drop(evidence, "instruction", candidate.text, "unstorable")
        return False
    if was_forgotten(unit, instruction.id, instruction.observed_at):
        counts.drop(evidence, "instruction", instruction.text, "forgotten", user_lines)
        return False
    if instruction.status == "quarantined":
        counts.quarantine(instruction)
    counts.instructions += 1
    related_instruction = related_entry(candidate, evidence.instructions, unit.instructions)
    _store(unit, evidence, instruction, related_instruction, candidate)
    return True


def _wish(lines: Sequence[TranscriptLine], candidate: Candidate) -> Wish:
    """The first of the user's sentences that asks for it; else why none does."""
    wish_matches = [find_wish(line.text, candidate.text, candidate.quote) for line in lines]
    return next((match for match in wish_matches if match.sentence is not None), wish_matches[0])


def _unsaid(wish: Wish, lines: Sequence[TranscriptLine], candidate: Candidate) -> Reason | None:
    """Why it stands nowhere in the messages, if it does not."""
    passage = wish.sentence or "\n".join(line.text for line in lines)
    if wish.foreign:
        return None
    languages = tuple(
        dict.fromkeys((*recognise(candidate.text, passage).rows, *recognise(passage).rows))
    )
    if not addresses(candidate.text) <= addresses(passage):
        return "address"
    if unsaid(readings(candidate.text, languages), readings(passage, languages)):
        return "number"
    if wish.sentence is None and not is_asked(passage, candidate.text, languages):
        return "language" if wish.reason == "language" else "not_said"
    return None


def _instruction(
    evidence: Evidence, candidate: Candidate, lines: Sequence[TranscriptLine], wish: Wish
) -> Instruction | None:
    wording = wish.sentence if wish.foreign and wish.sentence else candidate.text
    wish_text = storable_text(evidence, wording, "instruction")
    gloss = storable_text(evidence, candidate.text, "instruction") if wish.foreign else ""
    if wish_text is None or gloss is None:
        return None
    return Instruction(
        identity("instruction", wish_text, None, None),
        wish_text,
        _priority(wish),
        sources=cited_sources(
            lines, wish_text, wish.sentence or candidate.quote, evidence.session, evidence.namespace
        ),
        status="active" if wish.sentence is not None else "quarantined",
        observed_at=latest_time(lines),
        extractor=evidence.extractor_name,
        created_at=utc_datetime(evidence.engine.now()),
        gloss=gloss,
        reason=wish.reason or "",
    )


def _priority(wish: Wish) -> Priority:
    if wish.sentence is None:
        return "inferred"
    return "explicit" if is_lasting(wish.sentence) else "preference"


def _store(
    unit: UnitOfWork,
    evidence: Evidence,
    instruction: Instruction,
    related: Instruction | None,
    candidate: Candidate,
) -> None:
    """Learn an instruction beside those that hold."""
    equal_instruction = _equivalent_instruction(unit, evidence, instruction, related, candidate)
    if equal_instruction is not None:
        restated_instruction = replace(
            instruction,
            id=equal_instruction.id,
            text=equal_instruction.text,
            extractor=equal_instruction.extractor,
        )
        instructions.merge_instruction(unit, restated_instruction)
        return
    if related is not None and candidate.relation in ("updates", "contradicts"):
        instruction = _resolve_conflict(unit, instruction, related)
    instructions.merge_instruction(unit, instruction)


def _equivalent_instruction(
    unit: UnitOfWork,
    evidence: Evidence,
    instruction: Instruction,
    related: Instruction | None,
    candidate: Candidate,
) -> Instruction | None:
    return next(
        (
            existing
            for existing in unit.instructions.values()
            if existing.id != instruction.id
            and existing.status != "superseded"
            and (existing.agent, existing.session) == (None, None)
            and (
                same_form(existing.text, instruction.text)
                or (
                    existing is related
                    and candidate.relation == "same"
                    and same_sense(existing.text, instruction.text, evidence.user)
                )
            )
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
