"""What code makes of an answer: which of it holds, what it takes the place of, what was asked for.

It is done again against what a home holds by then when somebody else changed it; the model is not
asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar

from threadkeep.engine import Engine
from threadkeep.errors import InputError
from threadkeep.learned import PRIORITIES, Fact, Instruction, Status
from threadkeep.longterm import facts, instructions
from threadkeep.longterm.entries import LONGEST
from threadkeep.longterm.extraction import grounding
from threadkeep.longterm.extraction.answer import Answered, Candidate
from threadkeep.longterm.extraction.batch import Batch, Line
from threadkeep.longterm.extraction.own_words import is_explicit, wish
from threadkeep.longterm.extraction.requests import Wanted, wanted
from threadkeep.longterm.extraction.words import (
    addresses,
    content,
    numbers,
    overlap,
    same_sense,
    shared,
)
from threadkeep.longterm.held import Held, superseded
from threadkeep.longterm.records import identity
from threadkeep.longterm.shelf import lineage
from threadkeep.moments import moment, when
from threadkeep.redaction import redacted

REQUEST: Final = "request/1"
"""The `extractor` of what code took from the user's words without any model."""

T = TypeVar("T", Fact, Instruction)

_ALIKE: Final = 0.5
_SAID: Final = 0.75


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch that was read, and what came of it.

    Attributes:
        engine: of the session.
        session: its id.
        namespace: of the session, where it is not that of long-term memory.
        user: whose it is.
        batch: what was read.
        answered: what the model made of it.
        facts: ids of the known facts by their numbers in the prompt, from 1.
        instructions: likewise.
        extractor: the model and the version of the prompt.
    """

    engine: Engine
    session: str
    namespace: str | None
    user: str | None
    batch: Batch
    answered: Answered = field(default_factory=Answered)
    facts: Sequence[str] = ()
    instructions: Sequence[str] = ()
    extractor: str = REQUEST


@dataclass(slots=True)
class Learned:
    """What a merge changed: how many facts and instructions were learned, or seen again."""

    facts: int = 0
    instructions: int = 0


def merge(held: Held, reading: Reading) -> Learned:
    """Change what a home holds by what was read."""
    learned, requests = Learned(), wanted(reading.batch.lines)
    for request in requests:
        if request.forget:
            _forget(held, reading, request)
    met: set[int] = set()
    for candidate in reading.answered.facts:
        if _is_taken_back(candidate, requests):
            continue
        if grounding.is_directive(candidate.text):
            done = _instruction(held, reading, candidate)
            learned.instructions += done
        else:
            done = _fact(held, reading, candidate)
            learned.facts += done
        met.update(line.number for line in candidate.lines if done)
    for candidate in reading.answered.instructions:
        if not _is_taken_back(candidate, requests) and _instruction(held, reading, candidate):
            learned.instructions += 1
            met.update(line.number for line in candidate.lines)
    for request in requests:
        if not request.forget and request.line.number not in met:
            _remember(held, reading, request, learned)
    facts.make_room(held)
    instructions.make_room(held)
    return learned


def _is_taken_back(candidate: Candidate, requests: Iterable[Wanted]) -> bool:
    """Whether the user asked to forget it, in the same breath or later."""
    last = max(line.number for line in candidate.lines)
    return any(
        request.forget and request.line.number >= last and request.means(candidate.text)
        for request in requests
    )


def _fact(held: Held, reading: Reading, candidate: Candidate) -> bool:
    """Learn a fact, if it was said; whether it was."""
    status = grounding.standing(candidate.text, candidate.lines, reading.batch, reading.user)
    text = _kept(reading, candidate.text, "fact")
    if status is None or text is None:
        return False
    at = _said_at(candidate.lines)
    fact = Fact(
        identity("fact", text),
        text,
        grounding.sources(
            candidate.lines, text, candidate.quote, reading.session, reading.namespace
        ),
        status=status,
        confidence=candidate.confidence,
        observed_at=at,
        valid_from=_date(candidate.valid_from),
        valid_to=_date(candidate.valid_to),
        extractor=reading.extractor,
        created_at=moment(reading.engine.now()),
    )
    if _is_forgotten(held, fact.id, at):
        return False
    related = _known(candidate, reading.facts, held.facts)
    twin = _twin(held, fact, related if candidate.relation == "same" else None)
    if twin is not None:
        facts.learn(held, _again(fact, twin))
        return True
    if related is not None and candidate.relation in ("updates", "contradicts"):
        fact = _replacing(held, fact, related)
    facts.learn(held, fact)
    _replace_request(held, fact, candidate.lines)
    return True


def _twin(held: Held, fact: Fact, related: Fact | None) -> Fact | None:
    """A known fact that says the same: never where numbers, dates or a negation differ."""
    words = content(fact.text)
    for known in held.facts.values():
        if known.id == fact.id or known.status == "superseded" or known.extractor == REQUEST:
            continue
        alike = related is not None and known.id == related.id
        if alike and overlap(known.text, fact.text) < _ALIKE:
            continue
        if (alike or content(known.text) == words) and same_sense(known.text, fact.text):
            return known
    return None


def _again(fact: Fact, known: Fact) -> Fact:
    """What was said again, in the words that are known already."""
    return replace(
        fact,
        id=known.id,
        text=known.text,
        extractor=known.extractor,
        valid_from=known.valid_from or fact.valid_from,
        valid_to=known.valid_to,
    )


def _replacing(held: Held, fact: Fact, old: Fact) -> Fact:
    """The fact, once it took the place of an older one; the older one holds if it is not older."""
    related = content(fact.text) & content(old.text)
    if fact.status != "active" or old.status != "active" or old.pinned or not related:
        return fact
    if old.id == fact.id:
        return fact
    if old.observed_at and fact.observed_at and fact.observed_at < old.observed_at:
        return superseded(fact, old.id)
    ended = superseded(old, fact.id)
    held.put_fact(replace(ended, valid_to=old.valid_to or fact.valid_from or fact.observed_at))
    return fact


def _replace_request(held: Held, fact: Fact, lines: Sequence[Line]) -> None:
    """Let a fact take the place of what code took from the same words when there was no model."""
    items = {line.item.id for line in lines}
    for old in list(held.facts.values()):
        ours = old.extractor == REQUEST and old.status == "active" and old.id != fact.id
        same = ours and any(source.item in items for source in old.sources)
        if same and fact.status == "active":
            held.put_fact(superseded(old, fact.id))


def _instruction(held: Held, reading: Reading, candidate: Candidate) -> bool:
    """Learn an instruction, if the user gave it; in quarantine, if it only stands in their text."""
    lines = [line for line in candidate.lines if line.is_users]
    text = _kept(reading, candidate.text, "instruction")
    if not lines or text is None:
        return False
    said = next((found for line in lines if (found := wish(line.text, text))), None)
    status: Status = "active" if said is not None else "quarantined"
    passage = said if said is not None else "\n".join(line.text for line in lines)
    if not addresses(text) <= addresses(passage) or not numbers(text) <= numbers(passage):
        return False
    if said is None and shared(content(text), content(passage)) < _SAID:
        return False
    at = _said_at(lines)
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
    return _give(held, one, _known(candidate, reading.instructions, held.instructions), candidate)


def _give(held: Held, one: Instruction, old: Instruction | None, candidate: Candidate) -> bool:
    """Learn an instruction beside those that hold."""
    if _is_forgotten(held, one.id, one.observed_at):
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


def _twin_instruction(held: Held, one: Instruction) -> Instruction | None:
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


def _overruling(held: Held, one: Instruction, old: Instruction) -> Instruction:
    """Of two that contradict each other the newest explicit one holds."""
    if one.status != "active" or old.status != "active" or old.pinned or old.id == one.id:
        return one
    weaker = PRIORITIES.index(one.priority) > PRIORITIES.index(old.priority)
    earlier = one.observed_at and old.observed_at and one.observed_at < old.observed_at
    if weaker or earlier:
        return superseded(one, old.id)
    held.put_instruction(superseded(old, one.id))
    return one


def _remember(held: Held, reading: Reading, request: Wanted, learned: Learned) -> None:
    """Keep what the user asked to be kept, in their words, since no model made more of it."""
    given = "instruction" if request.is_instruction else "fact"
    said = f"The user asked to remember: {request.what}"
    text = _kept(reading, request.what if request.is_instruction else said, given)
    if text is None:
        return
    where = grounding.sources(
        [request.line], text, request.what, reading.session, reading.namespace
    )
    at, now = _said_at([request.line]), moment(reading.engine.now())
    status: Status = "quarantined" if request.is_reported else "active"
    if request.is_instruction:
        id = identity("instruction", text, None, None)
        one = Instruction(
            id, text, "explicit", sources=where, status=status, observed_at=at, created_at=now
        )
        if id not in held.instructions and not _is_forgotten(held, id, at):
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
    if fact.id not in held.facts and not _is_forgotten(held, fact.id, at):
        facts.learn(held, fact)
        learned.facts += 1


def _forget(held: Held, reading: Reading, request: Wanted) -> None:
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


def _is_forgotten(held: Held, id: str, said_at: datetime | None) -> bool:
    """Whether it was forgotten after it was said; what is said anew may be known anew."""
    at = held.forgotten.get(id)
    if at is None:
        return False
    if said_at is None or said_at.timestamp() <= at:
        return True
    held.unforget(id)
    return False


def _known(candidate: Candidate, ids: Sequence[str], held: dict[str, T]) -> T | None:
    number = candidate.known
    if number is None or not 1 <= number <= len(ids):
        return None
    return held.get(ids[number - 1])


def _kept(reading: Reading, text: str, kind: str) -> str | None:
    """The text as it may be stored, if it may."""
    told = " ".join(text.split())
    if not told or len(told) > LONGEST:
        return None
    return redacted(reading.engine, told, kind) or None


def _said_at(lines: Iterable[Line]) -> datetime | None:
    return max((at for line in lines if (at := line.item.created_at)), default=None)


def _date(given: str | None) -> datetime | None:
    try:
        return None if given is None else when(given)
    except InputError:
        return None
