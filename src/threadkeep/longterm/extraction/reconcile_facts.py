"""What becomes of a fact that a model proposes, beside those that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from threadkeep.errors import InputError
from threadkeep.longterm import facts
from threadkeep.longterm.extraction import grounding
from threadkeep.longterm.extraction.batch import Line
from threadkeep.longterm.extraction.evidence import (
    REQUEST,
    Reading,
    is_forgotten,
    related_to,
    said_at,
    storable,
)
from threadkeep.longterm.extraction.reply import Candidate
from threadkeep.longterm.extraction.text_features import content, overlap, same_sense
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.types.knowledge import Fact
from threadkeep.types.timestamps import moment, when

_ALIKE: Final = 0.5


def learn(held: UnitOfWork, reading: Reading, candidate: Candidate) -> bool:
    """Learn a fact, if it was said; whether it was."""
    status = grounding.standing(candidate.text, candidate.lines, reading.batch, reading.user)
    text = storable(reading, candidate.text, "fact")
    if status is None or text is None:
        return False
    at = said_at(candidate.lines)
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
    if is_forgotten(held, fact.id, at):
        return False
    related = related_to(candidate, reading.facts, held.facts)
    twin = _twin(held, fact, related if candidate.relation == "same" else None)
    if twin is not None:
        facts.learn(held, _again(fact, twin))
        return True
    if related is not None and candidate.relation in ("updates", "contradicts"):
        fact = _replacing(held, fact, related)
    facts.learn(held, fact)
    _replace_request(held, fact, candidate.lines)
    return True


def _twin(held: UnitOfWork, fact: Fact, related: Fact | None) -> Fact | None:
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


def _replacing(held: UnitOfWork, fact: Fact, old: Fact) -> Fact:
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


def _replace_request(held: UnitOfWork, fact: Fact, lines: Sequence[Line]) -> None:
    """Let a fact take the place of what code took from the same words when there was no model."""
    items = {line.item.id for line in lines}
    for old in list(held.facts.values()):
        ours = old.extractor == REQUEST and old.status == "active" and old.id != fact.id
        same = ours and any(source.item in items for source in old.sources)
        if same and fact.status == "active":
            held.put_fact(superseded(old, fact.id))


def _date(given: str | None) -> datetime | None:
    try:
        return None if given is None else when(given)
    except InputError:
        return None
