"""Operations that facts and instructions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.suggestions import missing_attribute, refuse_container
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import NotFound
from threadkeep.longterm.store.sources import source_items
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.printable import shown
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact, Instruction, Refusal

T = TypeVar("T", bound=Fact | Instruction)


@dataclass(frozen=True, slots=True)
class CollectionSpec(Generic[T]):
    """The type of entry in a collection, and how a unit of work stores it.

    Attributes:
        blank: an entry of an id, for a store that kept none of it.
        merge: puts an entry beside those that are known.
        approved: the entry that somebody approves although it was let go.
    """

    noun: str
    entries: Callable[[UnitOfWork], dict[str, T]]
    put: Callable[[UnitOfWork, T], T]
    drop: Callable[[UnitOfWork, str], None]
    blank: Callable[[str], T]
    merge: Callable[[UnitOfWork, T], T]
    approved: Callable[[Refusal, float], T]


@explain_wrong_calls
@refuse_container("its list() and get(id)")
class Collection(Generic[T]):
    """The facts or the instructions of one user stream. Creating one does no I/O."""

    def __init__(
        self, engine: Engine, user_stream: Callable[[], UserStream], spec: CollectionSpec[T]
    ) -> None:
        self._engine = engine
        self._user_stream = user_stream
        self._spec = spec

    @reads
    def get(self, id: str) -> T | None:
        """The one of that id, of any status, or `None`."""
        return self._spec.entries(self._user_stream().load()).get(names.check(id, "id"))

    def forget(self, id: str) -> None:
        """Remove it for good, and what it had superseded; one that is not there is no error.

        A mark without any words stays, so that it is not learned again from what was said before.
        """
        id, now = names.check(id, "id"), self._engine.now()

        def step(unit: UnitOfWork) -> None:
            entries = self._spec.entries(unit)
            for entry_id in lineage(entries.values(), id):
                if (
                    entry_id in entries
                ):  # an id that anybody made up, a model perhaps, leaves no mark
                    self._forget(unit, entry_id, now)

        self._user_stream().transact(step)

    def approve(self, id: str) -> T:
        """Make one hold that waits in quarantine or was dropped; `user.refused()` has ids.

        Raises:
            NotFound: there is none of that id, and none was refused.
        """
        id = names.check(id, "id")

        def step(unit: UnitOfWork) -> T:
            refusal = unit.refusals.get(id)
            if id in self._spec.entries(unit) or refusal is None or refusal.kind != self._spec.noun:
                quarantined_entry = self._require(unit, id)
                return self._spec.put(
                    unit, replace(quarantined_entry, status="active", reason="", superseded_by=None)
                )
            unit.drop_refusal(id)
            approved_entry = self._spec.approved(refusal, self._engine.now())
            unit.unmark_forgotten(approved_entry.id)
            return self._spec.merge(unit, approved_entry)

        return self._user_stream().transact(step)

    @reads
    def explain(self, id: str) -> list[Item]:
        """The items that it was learned from, as far as they are still there and say the same.

        Raises:
            NotFound: there is none of that id.
        """
        user_stream = self._user_stream()
        return source_items(
            self._engine, user_stream.user, self._require(user_stream.load(), id).sources
        )

    aget = async_twin(get)
    aforget = async_twin(forget)
    aapprove = async_twin(approve)
    aexplain = async_twin(explain)

    if not TYPE_CHECKING:  # to a type checker, an unknown name stays an error

        def __getattr__(self, name: str) -> object:
            raise missing_attribute(self, name)

    def _forget(self, unit: UnitOfWork, id: str, now: float) -> None:
        if id in unit.facts:
            unit.forget_fact(id, now)
        else:
            self._spec.drop(unit, id)
            unit.mark_forgotten(id, now)

    def _require(self, unit: UnitOfWork, id: str) -> T:
        entries = self._spec.entries(unit)
        if names.check(id, "id") not in entries:
            entry_noun = self._spec.noun
            raise NotFound(
                f"there is no {entry_noun} {shown(id)}; "
                f"{entry_noun}s.list(status=None) shows all there are"
            )
        return entries[id]

    def _apply_changes(self, id: str, new_fields: Mapping[str, Any]) -> T:
        """Change fields of an entry, and return it."""
        if new_fields.get("status") == "active":
            new_fields = {**new_fields, "superseded_by": None, "reason": ""}

        def step(unit: UnitOfWork) -> UnitOfWork:
            store_discards = self._engine.longterm.discards
            entry = self._spec.blank(id) if store_discards else self._require(unit, id)
            self._spec.put(unit, replace(entry, **new_fields))
            return unit

        return self._spec.entries(self._user_stream().transact(step))[id]


def lineage(candidates: Iterable[T], id: str) -> list[str]:
    """The id of an entry and of all entries that it superseded, directly or not."""
    entries = list(candidates)
    lineage_ids, queued_ids = [id], [id]
    while queued_ids:
        newer_id = queued_ids.pop()
        older_ids = [
            entry.id
            for entry in entries
            if entry.superseded_by == newer_id and entry.id not in lineage_ids
        ]
        lineage_ids += older_ids
        queued_ids += older_ids
    return lineage_ids
