"""What becomes of an instruction that a model proposes, beside those that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from threadkeep.longterm import instructions
from threadkeep.longterm.extraction import grounding
from threadkeep.longterm.extraction.authorship import is_explicit, wish
from threadkeep.longterm.extraction.evidence import (
    Reading,
    is_forgotten,
    related_to,
    said_at,
    storable,
)
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.extraction.text_features import (
    addresses,
    content,
    numbers,
    same_sense,
    shared,
)
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.types.knowledge import PRIORITIES, Instruction, Status
from threadkeep.types.timestamps import moment

_SAID: Final = 0.75


def learn(held: UnitOfWork, reading: Reading, candidate: Candidate) -> bool:
    """Learn an instruction, if the user gave it; in quarantine, if it only stands in their text."""
    lines = [line for line in candidate.lines if line.is_users]
    text = storable(reading, candidate.text, "instruction")
    if not lines or text is None:
        return False
    said = next((found for line in lines if (found := wish(line.text, text))), None)
    status: Status = "active" if said is not None else "quarantined"
    passage = said if said is not None else "\n".join(line.text for line in lines)
    if not addresses(text) <= addresses(passage) or not numbers(text) <= numbers(passage):
        return False
    if said is None and shared(content(text), content(passage)) < _SAID:
        return False
    at = said_at(lines)
    one = Instruction(
        identity("instruction", text, None, None),
        text,
        "inferred" if said is None else "explicit" if is_explicit(said) else "preference",
        sources=grounding.sources(
            lines, text, said or candidate.quote, reading.session, reading.namespace
        ),
        status=status,
        observed_at=at,
        extractor=reading.extractor,
        created_at=moment(reading.engine.now()),
    )
    return _give(
        held, one, related_to(candidate, reading.instructions, held.instructions), candidate
    )


def _give(
    held: UnitOfWork, one: Instruction, old: Instruction | None, candidate: Candidate
) -> bool:
    """Learn an instruction beside those that hold."""
    if is_forgotten(held, one.id, one.observed_at):
        return False
    twin = _twin_instruction(held, one)
    if twin is not None:
        again = replace(one, id=twin.id, text=twin.text, extractor=twin.extractor)
        instructions.learn(held, again)
        return True
    if old is not None and candidate.relation in ("updates", "contradicts"):
        one = _overruling(held, one, old)
    instructions.learn(held, one)
    return True


def _twin_instruction(held: UnitOfWork, one: Instruction) -> Instruction | None:
    words = content(one.text)
    return next(
        (
            known
            for known in held.instructions.values()
            if known.id != one.id
            and known.status != "superseded"
            and (known.agent, known.session) == (None, None)
            and content(known.text) == words
            and same_sense(known.text, one.text)
        ),
        None,
    )


def _overruling(held: UnitOfWork, one: Instruction, old: Instruction) -> Instruction:
    """Of two that contradict each other the newest explicit one holds."""
    if one.status != "active" or old.status != "active" or old.pinned or old.id == one.id:
        return one
    weaker = PRIORITIES.index(one.priority) > PRIORITIES.index(old.priority)
    earlier = one.observed_at and old.observed_at and one.observed_at < old.observed_at
    if weaker or earlier:
        return superseded(one, old.id)
    held.put_instruction(superseded(old, one.id))
    return one
