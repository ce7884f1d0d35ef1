"""What code makes of an answer: which of it holds, what it takes the place of, what was asked for.

It is done again against what a home holds by then when somebody else changed it; the model is not
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
    Reading,
    is_forgotten,
    said_at,
    storable,
)
from threadkeep.longterm.extraction.explicit_requests import Wanted, wanted
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import lineage
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Fact, Instruction, Status
from threadkeep.types.timestamps import moment


@dataclass(slots=True)
class Learned:
    """What a merge changed: how many facts and instructions were learned, or seen again."""

    facts: int = 0
    instructions: int = 0


def merge(held: UnitOfWork, reading: Reading) -> Learned:
    """Change what a home holds by what was read."""
    learned, requests = Learned(), wanted(reading.batch.lines)
    for request in requests:
        if request.forget:
            _forget(held, reading, request)
    met: set[int] = set()
    for candidate, is_instruction in _proposed(reading):
        if _is_taken_back(candidate, requests):
            continue
        if is_instruction:
            done = reconcile_instructions.learn(held, reading, candidate)
            learned.instructions += done
        else:
            done = reconcile_facts.learn(held, reading, candidate)
            learned.facts += done
        met.update(line.number for line in candidate.lines if done)
    for request in requests:
        if not request.forget and request.line.number not in met:
            _remember(held, reading, request, learned)
    facts.make_room(held)
    instructions.make_room(held)
    return learned


def _proposed(reading: Reading) -> Iterator[tuple[Candidate, bool]]:
    """What the model proposes, and whether it is an instruction, whatever the model calls it."""
    for candidate in reading.answered.facts:
        yield candidate, grounding.is_directive(candidate.text)
    for candidate in reading.answered.instructions:
        yield candidate, True


def _is_taken_back(candidate: Candidate, requests: Iterable[Wanted]) -> bool:
    """Whether the user asked to forget it, in the same breath or later."""
    last = max(line.number for line in candidate.lines)
    return any(
        request.forget and request.line.number >= last and request.means(candidate.text)
        for request in requests
    )


def _remember(held: UnitOfWork, reading: Reading, request: Wanted, learned: Learned) -> None:
    """Keep what the user asked to be kept, in their words, since no model made more of it."""
    given = "instruction" if request.is_instruction else "fact"
    said = f"The user asked to remember: {request.what}"
    text = storable(reading, request.what if request.is_instruction else said, given)
    if text is None:
        return
    where = grounding.sources(
        [request.line], text, request.what, reading.session, reading.namespace
    )
    at, now = said_at([request.line]), moment(reading.engine.now())
    status: Status = "quarantined" if request.is_reported else "active"
    if request.is_instruction:
        id = identity("instruction", text, None, None)
        one = Instruction(
            id, text, "explicit", sources=where, status=status, observed_at=at, created_at=now
        )
        if id not in held.instructions and not is_forgotten(held, id, at):
            instructions.learn(held, replace(one, extractor=REQUEST))
            learned.instructions += 1
        return
    fact = Fact(
        identity("fact", text),
        text,
        where,
        status,
        observed_at=at,
        extractor=REQUEST,
        created_at=now,
    )
    if fact.id not in held.facts and not is_forgotten(held, fact.id, at):
        facts.learn(held, fact)
        learned.facts += 1


def _forget(held: UnitOfWork, reading: Reading, request: Wanted) -> None:
    """Remove what the user asked to forget, as far as it was said before."""
    now = reading.engine.now()
    for fact in list(held.facts.values()):
        if request.means(fact.text) and _before(fact.observed_at, request):
            for gone in lineage(held.facts.values(), fact.id):
                held.drop_fact(gone)
                held.forget(gone, now)
    for one in list(held.instructions.values()):
        if request.means(one.text) and _before(one.observed_at, request):
            held.drop_instruction(one.id)
            held.forget(one.id, now)


def _before(observed_at: datetime | None, request: Wanted) -> bool:
    at = request.line.item.created_at
    return observed_at is None or at is None or observed_at <= at
