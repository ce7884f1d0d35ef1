"""Facts: what is known of a user; `user.facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import InputError, did_you_mean
from threadkeep.longterm.html import EntryListing
from threadkeep.longterm.store import validate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import Collection, CollectionSpec, lineage
from threadkeep.longterm.store.merge_facts import (
    evict_surplus,
    first_said,
    merge_fact,
    place,
    rank_key,
    supersede,
)
from threadkeep.longterm.store.new_fact import FIELDS, approved_fact, held_at, new_fact
from threadkeep.longterm.store.unit_of_work import MAX_FACTS, UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.longterm.store.validate import Moment
from threadkeep.printable import shown
from threadkeep.types import Listing
from threadkeep.types.knowledge import APPLICATION, Fact
from threadkeep.types.states import Status

__all__ = ["Facts", "MAX_FACTS", "evict_surplus", "first_said", "merge_fact", "place", "rank_key"]

_MAX_BATCH: Final = 400
"""Facts of one commit, at most."""

UNSET: Final[Any] = object()


_SPEC: Final = CollectionSpec(
    "fact",
    attrgetter("facts"),
    UnitOfWork.put_fact,
    UnitOfWork.drop_fact,
    lambda id: Fact(id, ""),
    merge_fact,
    approved_fact,
)


@explain_wrong_calls
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
        category: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Fact:
        """Store a fact, and return it as stored; one that is known already counts as seen again.

        What is true for a second time, after it had ended, is a fact of its own with its own span.

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
            status: `quarantined` = not told to anybody before `approve`, unless it is known as
                active already.
            category: your own, such as `diet`; for `list(category=)`.
            metadata: your own, JSON; joined with what a known fact has.

        Raises:
            InputError: a value is not what it should be; it is named. Nothing was written.
            NotFound: there is no fact `replaces`.
        """
        fact = new_fact(
            self._engine,
            text,
            sources=sources,
            confidence=confidence,
            pinned=pinned,
            observed_at=observed_at,
            valid_from=valid_from,
            valid_to=valid_to,
            expires_at=expires_at,
            extractor=extractor,
            status=status,
            category=category,
            metadata=metadata,
        )
        return self._put_all([(fact, replaces)])[0]

    def add_many(self, facts: Iterable[str | Mapping[str, Any]]) -> list[Fact]:
        """Store several facts in one commit (one for each 400), and return them as stored.

        Args:
            facts: texts, or dicts of what `add` takes: `{"text": ..., "category": ...}`.

        Raises:
            InputError: a value is not what it should be; it is named with its place. Nothing was
                written.
            NotFound: there is no fact that one `replaces`.
        """
        if isinstance(facts, (str, bytes, Mapping)) or not isinstance(facts, Iterable):
            raise InputError(f"facts must be a list, got {type(facts).__name__}")
        fact_pairs = [_parsed(self._engine, entry, index) for index, entry in enumerate(facts)]
        return [
            fact
            for batch_start in range(0, len(fact_pairs), _MAX_BATCH)
            for fact in self._put_all(fact_pairs[batch_start : batch_start + _MAX_BATCH])
        ]

    def update(
        self,
        id: str,
        *,
        status: Status | None = None,
        pinned: bool | None = None,
        confidence: float | None = None,
        expires_at: Moment | None = UNSET,
        valid_to: Moment | None = UNSET,
        category: str | None = UNSET,
        metadata: Mapping[str, Any] | None = None,
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
        for field_name, field_value in (("expires_at", expires_at), ("valid_to", valid_to)):
            if field_value is not UNSET:
                changes[field_name] = validate.checked_moment(field_value, field_name)
        if category is not UNSET:
            changes["category"] = None if category is None else names.check(category, "category")
        if metadata is not None:
            changes["metadata"] = validate.checked_metadata(metadata)
        return self._apply_changes(id, changes)

    @reads
    def list(
        self,
        *,
        status: Status | None = "active",
        at: Moment | None = None,
        category: str | None = None,
        limit: int | None = None,
    ) -> Listing[Fact]:
        """The facts of a status, or of every one (`None`), in the order they were first stored.

        Args:
            status: which; with `at`, also superseded facts that held then are among the active.
            at: only what held at that time, as far as is known today: epoch seconds, ISO 8601 or a
                datetime.
            category: only of this one.
            limit: only so many of the newest.

        Raises:
            InputError: a value is not what it should be; it is named.
        """
        checked_status = validate.checked_status(status)
        moment = validate.checked_moment(at, "at")
        if limit is not None and (type(limit) is not int or limit < 1):
            raise InputError(f"limit must be a whole number of at least 1, got {shown(limit)}")
        facts = [
            fact
            for fact in self._user_stream().load().facts.values()
            if (category is None or fact.category == category)
            and (
                checked_status in (None, fact.status)
                if moment is None
                else held_at(fact, moment, checked_status)
            )
        ]
        return EntryListing(facts if limit is None else facts[-limit:])

    def history(self, id: str) -> Listing[Fact]:
        """The facts that one replaced and that replaced it, the oldest first, itself among them.

        Raises:
            NotFound: there is no such fact.
        """
        unit_of_work = self._user_stream().load()
        newest_fact = self._require(unit_of_work, id)
        visited_ids = {newest_fact.id}
        while (
            next_fact := unit_of_work.facts.get(newest_fact.superseded_by or "")
        ) and next_fact.id not in visited_ids:
            newest_fact = next_fact
            visited_ids.add(newest_fact.id)
        lineage_ids = set(lineage(unit_of_work.facts.values(), newest_fact.id))
        return EntryListing(
            sorted((unit_of_work.facts[fact_id] for fact_id in lineage_ids), key=_begin)
        )

    aadd_many = async_twin(add_many)
    ahistory = async_twin(history)
    aadd = async_twin(add)
    aupdate = async_twin(update)
    alist = async_twin(list)

    def _put_all(self, fact_pairs: Sequence[tuple[Fact, str | None]]) -> list_type[Fact]:
        """Put facts of the application, and supersede those that they replace."""

        def step(unit: UnitOfWork) -> tuple[UnitOfWork, list_type[Fact]]:
            stored_facts = [self._put(unit, fact, replaced_id) for fact, replaced_id in fact_pairs]
            evict_surplus(unit, self._engine.now())
            return unit, stored_facts

        replaced_ids = [
            names.check(replaced_id, "replaces")
            for _, replaced_id in fact_pairs
            if replaced_id is not None
        ]
        fact_ids = [*(fact.id for fact, _ in fact_pairs), *replaced_ids]
        unit_of_work, stored_facts = self._user_stream().transact_facts(
            list(dict.fromkeys(fact_ids)), step
        )
        return [unit_of_work.facts.get(fact.id, fact) for fact in stored_facts]

    def _put(self, unit: UnitOfWork, fact: Fact, replaces: str | None) -> Fact:
        fact = place(unit, fact)
        if replaces is not None and replaces != fact.id and not self._engine.longterm.discards:
            supersede(unit, self._require(unit, replaces), fact)
        if fact.status == "active":
            unit.unmark_forgotten(fact.id)
            unit.unmark_forgotten(identity("fact", fact.text))
        return merge_fact(unit, fact)


list_type = list  # the name of a verb above


def _parsed(engine: Engine, entry: str | Mapping[str, Any], index: int) -> tuple[Fact, str | None]:
    """A fact of a list, and what it replaces."""
    raw_options = {"text": entry} if isinstance(entry, str) else entry
    if not isinstance(raw_options, Mapping):
        raise InputError(f"facts[{index}] must be a str or a dict, got {type(entry).__name__}")
    fact_options = dict(raw_options)
    replaced_id = fact_options.pop("replaces", None)
    if replaced_id is not None:
        names.check(replaced_id, f"facts[{index}].replaces")
    if unknown_keys := sorted(fact_options.keys() - set(FIELDS)):
        raise InputError(
            f"facts[{index}] has no key {shown(unknown_keys[0])}"
            f"{did_you_mean(unknown_keys[0], FIELDS)}"
        )
    try:
        return new_fact(engine, fact_options.pop("text", None), **fact_options), replaced_id
    except InputError as error:
        raise InputError(f"facts[{index}]: {error}") from error


def _begin(fact: Fact) -> tuple[float, int]:
    start_time = fact.valid_from or first_said(fact)
    return 0.0 if start_time is None else start_time.timestamp(), fact.seq
