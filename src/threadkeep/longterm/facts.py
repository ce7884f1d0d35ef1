"""Facts: what is known of a user; `user.facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine, async_twin
from threadkeep.longterm.html import Learned
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
from threadkeep.types.timestamps import moment

MOST: Final = 1_000
"""Facts that are kept of one user, of any status; the least worth goes first, pinned ones never."""

UNSET: Final[Any] = object()


_KIND: Final = CollectionSpec(
    "fact", attrgetter("facts"), UnitOfWork.put_fact, UnitOfWork.drop_fact
)


class Facts(Collection[Fact]):
    """The facts of a user, or of a session without one; every verb has an async twin.

    Only what was said or added is here: nothing is made up, and nothing is let go because a model
    says so.
    """

    def __init__(self, engine: Engine, home: Callable[[], UserStream]) -> None:
        super().__init__(engine, home, _KIND)

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
        now = self.engine.now()
        told = validate.checked_text(self.engine, text, "fact")
        fact = Fact(
            identity("fact", told),
            told,
            validate.checked_sources(self.engine, sources),
            validate.checked_status(status) or "active",
            confidence=validate.checked_share(confidence, "confidence"),
            pinned=bool(pinned),
            observed_at=validate.checked_moment(observed_at, "observed_at") or moment(now),
            valid_from=validate.checked_moment(valid_from, "valid_from"),
            valid_to=validate.checked_moment(valid_to, "valid_to"),
            expires_at=validate.checked_moment(expires_at, "expires_at"),
            extractor=names.check(extractor, "extractor"),
            created_at=moment(now),
        )
        held = self._home().settle(lambda held: self._put(held, fact, replaces))
        return held.facts.get(fact.id, fact)

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
        said: dict[str, Any] = {}
        if status is not None:
            said["status"] = validate.checked_status(status)
        if pinned is not None:
            said["pinned"] = bool(pinned)
        if confidence is not None:
            said["confidence"] = validate.checked_share(confidence, "confidence")
        for name, value in (("expires_at", expires_at), ("valid_to", valid_to)):
            if value is not UNSET:
                said[name] = validate.checked_moment(value, name)
        return self._changed(id, said)

    def list(self, *, status: Status | None = "active") -> Listing[Fact]:
        """The facts of a status, or of every one (`None`), in the order they were first stored.

        Raises:
            InputError: there is no such status.
        """
        wanted = validate.checked_status(status)
        found = self._home().look().facts.values()
        return Learned(fact for fact in found if wanted in (None, fact.status))

    aadd = async_twin(add)
    aupdate = async_twin(update)
    alist = async_twin(list)

    def _put(self, held: UnitOfWork, fact: Fact, replaces: str | None) -> UnitOfWork:
        """What a home holds once the application's word stands in it."""
        if replaces is not None and replaces != fact.id:
            old = self._one(held, replaces)
            ended = replace(superseded(old, fact.id), valid_to=old.valid_to or fact.observed_at)
            held.put_fact(ended)
        if fact.status == "active":
            held.unforget(fact.id)
        learn(held, fact)
        make_room(held)
        return held


def learn(held: UnitOfWork, fact: Fact) -> Fact:
    """Put a fact; one that is known already was seen once more, and keeps what it has."""
    known = held.facts.get(fact.id)
    if known is None:
        return held.put_fact(fact)
    # what an application, or another mouth, says again is no longer in doubt; never the reverse
    active = fact.status == "active" or known.status == "active"
    return held.put_fact(
        replace(
            fact,
            sources=merged_sources(known.sources, fact.sources),
            status="active" if active else known.status,
            superseded_by=None if active else known.superseded_by,
            confidence=max(known.confidence, fact.confidence),
            pinned=known.pinned or fact.pinned,
            seen=known.seen + 1,
            observed_at=max(filter(None, (known.observed_at, fact.observed_at)), default=None),
            valid_from=fact.valid_from or known.valid_from,
            expires_at=fact.expires_at or known.expires_at,
            created_at=known.created_at,
            seq=known.seq,
        )
    )


def make_room(held: UnitOfWork, most: int = MOST) -> None:
    """Let the least worth facts go, if there are too many."""
    for id in validate.surplus(held.facts, most, worth):
        held.drop_fact(id)


def worth(fact: Fact) -> tuple[bool, float, float]:
    """How much a fact is worth beside others: that it holds, how sure it is, how new."""
    at = fact.observed_at or fact.created_at
    sure = fact.confidence * (1 + min(fact.seen, 9) / 10)
    return fact.status == "active", sure, 0.0 if at is None else at.timestamp()
