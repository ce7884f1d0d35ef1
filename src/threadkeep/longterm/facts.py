"""Facts: what is known of a user; `user.facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine, async_twin
from threadkeep.longterm.html import EntryListing
from threadkeep.longterm.store import validate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import Collection, CollectionSpec
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.longterm.store.validate import Moment
from threadkeep.types import Listing
from threadkeep.types.knowledge import (
    APPLICATION,
    Fact,
    Status,
    merged_sources,
)
from threadkeep.types.timestamps import utc_datetime

MAX_FACTS: Final = 1_000
"""Facts that are kept of one user, of any status; the least worth goes first, pinned ones never."""

UNSET: Final[Any] = object()


_SPEC: Final = CollectionSpec(
    "fact",
    attrgetter("facts"),
    UnitOfWork.put_fact,
    UnitOfWork.drop_fact,
    lambda id: Fact(id, ""),
)


class Facts(Collection[Fact]):
    """The facts of a user, or of a session without one; every verb has an async twin.

    Only what was said or added is here: nothing is made up, and nothing is let go because a model
    says so.
    """

    def __init__(self, engine: Engine, user_stream: Callable[[], UserStream]) -> None:
        super().__init__(engine, user_stream, _SPEC)

    def add(
        self,
        text: str,
        *,
        sources: Iterable[object] = (),
        confidence: float = 1.0,
        pinned: bool = False,
        observed_at: Moment | None = None,
        valid_from: Moment | None = None,
        valid_to: Moment | None = None,
        expires_at: Moment | None = None,
        replaces: str | None = None,
        extractor: str = APPLICATION,
        status: Status = "active",
    ) -> Fact:
        """Store a fact, and return it as stored; one that is known already counts as seen again.

        Args:
            text: complete in itself: "Ada is allergic to nuts".
            sources: where it was said: `Source`s, or pairs of a session id and an item.
            confidence: from 0 to 1.
            pinned: always tell it to the model.
            observed_at: when it was said; epoch seconds, ISO 8601 or a datetime; else now.
            valid_from: from when it holds.
            valid_to: until when it holds.
            expires_at: from when it is not known any more.
            replaces: the id of the fact whose place it takes, which becomes `superseded`.
            extractor: who learned it.
            status: `quarantined` = not told to anybody before `update` approves it, unless it is
                known as active already.

        Raises:
            InputError: a value is not what it should be; it is named. Nothing was written.
            NotFound: there is no fact `replaces`.
        """
        now = self._engine.now()
        clean_text = validate.checked_text(self._engine, text, "fact")
        said_at = validate.checked_moment(observed_at, "observed_at") or utc_datetime(now)
        fact = Fact(
            identity("fact", clean_text),
            clean_text,
            validate.checked_sources(self._engine, sources),
            validate.checked_status(status) or "active",
            confidence=validate.checked_share(confidence, "confidence"),
            pinned=bool(pinned),
            observed_at=said_at,
            first_observed_at=said_at,
            valid_from=validate.checked_moment(valid_from, "valid_from"),
            valid_to=validate.checked_moment(valid_to, "valid_to"),
            expires_at=validate.checked_moment(expires_at, "expires_at"),
            extractor=names.check(extractor, "extractor"),
            created_at=utc_datetime(now),
        )
        unit = self._user_stream().transact(lambda held: self._put(held, fact, replaces))
        return unit.facts.get(fact.id, fact)

    def update(
        self,
        id: str,
        *,
        status: Status | None = None,
        pinned: bool | None = None,
        confidence: float | None = None,
        expires_at: Moment | None = UNSET,
        valid_to: Moment | None = UNSET,
    ) -> Fact:
        """Change what is known of a fact: `status="active"` approves one in quarantine.

        Another text is another fact: `add(text, replaces=id)`.

        Raises:
            NotFound: there is no such fact.
            InputError: a value is not what it should be; it is named.
        """
        changes: dict[str, Any] = {}
        if status is not None:
            changes["status"] = validate.checked_status(status)
        if pinned is not None:
            changes["pinned"] = bool(pinned)
        if confidence is not None:
            changes["confidence"] = validate.checked_share(confidence, "confidence")
        for name, value in (("expires_at", expires_at), ("valid_to", valid_to)):
            if value is not UNSET:
                changes[name] = validate.checked_moment(value, name)
        return self._apply_changes(id, changes)

    def list(self, *, status: Status | None = "active") -> Listing[Fact]:
        """The facts of a status, or of every one (`None`), in the order they were first stored.

        Raises:
            InputError: there is no such status.
        """
        selected = validate.checked_status(status)
        facts = self._user_stream().load().facts.values()
        return EntryListing(fact for fact in facts if selected in (None, fact.status))

    aadd = async_twin(add)
    aupdate = async_twin(update)
    alist = async_twin(list)

    def _put(self, unit: UnitOfWork, fact: Fact, replaces: str | None) -> UnitOfWork:
        """Put an entry of the application, and supersede the one it replaces."""
        if replaces is not None and replaces != fact.id and not self._engine.longterm.discards:
            previous = self._require(unit, replaces)
            closed = replace(
                superseded(previous, fact.id), valid_to=previous.valid_to or fact.observed_at
            )
            unit.put_fact(closed)
        if fact.status == "active":
            unit.unmark_forgotten(fact.id)
        merge_fact(unit, fact)
        evict_surplus(unit, self._engine.now())
        return unit


def place(unit: UnitOfWork, fact: Fact) -> Fact:
    """A fact with the id it will have: what is true for a second time is a fact of its own."""
    occurrence, id = 1, fact.id
    while (existing := unit.facts.get(id)) is not None and _begins_after(unit, fact, existing):
        occurrence += 1
        id = identity("fact", fact.text, str(occurrence))
    return replace(fact, id=id)


def _begins_after(unit: UnitOfWork, fact: Fact, ended: Fact) -> bool:
    """Whether a fact begins when one of the same text had come to its end."""
    if ended.status != "superseded" or fact.status != "active":
        return False
    successor = unit.facts.get(ended.superseded_by or "")
    end = ended.valid_to or (successor and (successor.valid_from or successor.observed_at))
    start = fact.valid_from or fact.observed_at
    return end is not None and start is not None and start >= end


def merge_fact(unit: UnitOfWork, fact: Fact) -> Fact:
    """Put a fact; one that is known already was seen once more, and keeps what it has."""
    fact = place(unit, fact)
    existing = unit.facts.get(fact.id)
    if existing is None:
        return unit.put_fact(fact)
    if existing.status == "superseded" and fact.extractor != APPLICATION:
        return unit.put_fact(  # what held before something else did does not hold again by that
            replace(existing, sources=merged_sources(existing.sources, fact.sources))
        )
    # what an application, or another mouth, says again is no longer in doubt; never the reverse
    active = fact.status == "active" or existing.status == "active"
    return unit.put_fact(
        replace(
            fact,
            sources=merged_sources(existing.sources, fact.sources),
            status="active" if active else existing.status,
            reason="" if active else existing.reason or fact.reason,
            superseded_by=None if active else existing.superseded_by,
            confidence=max(existing.confidence, fact.confidence),
            pinned=existing.pinned or fact.pinned,
            seen=existing.seen + 1,
            observed_at=max(filter(None, (existing.observed_at, fact.observed_at)), default=None),
            first_observed_at=min(
                filter(None, (first_said(existing), first_said(fact))), default=None
            ),
            valid_from=fact.valid_from or existing.valid_from,
            expires_at=fact.expires_at or existing.expires_at,
            gloss=existing.gloss or fact.gloss,
            category=fact.category or existing.category,
            metadata={**existing.metadata, **fact.metadata},
            created_at=existing.created_at,
            seq=existing.seq,
        )
    )


def first_said(fact: Fact) -> datetime | None:
    """When it was first said, as far as that is known."""
    return fact.first_observed_at or fact.observed_at or fact.created_at


def evict_surplus(unit: UnitOfWork, now: float, limit: int = MAX_FACTS) -> int:
    """Let the least worth facts go, if there are too many, and say so. Returns how many."""
    surplus = validate.surplus(unit.facts, limit, rank_key)
    for id in surplus:
        unit.put_refusal(validate.surplus_refusal(unit.facts[id], "fact", now))
        unit.drop_fact(id)
    return len(surplus)


def rank_key(fact: Fact) -> tuple[bool, float, float]:
    """How much a fact is worth beside others: that it holds, how sure it is, how new."""
    said_at = fact.observed_at or fact.created_at
    certainty = fact.confidence * (1 + min(fact.seen, 9) / 10)
    return fact.status == "active", certainty, 0.0 if said_at is None else said_at.timestamp()
