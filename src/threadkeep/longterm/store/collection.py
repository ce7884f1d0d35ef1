"""What facts and instructions have in common, whichever of the two is asked for by its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from threadkeep.core import names
from threadkeep.core.engine import Engine, async_twin
from threadkeep.errors import NotFound
from threadkeep.longterm.store.sources import said_at
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact, Instruction

T = TypeVar("T", bound=Fact | Instruction)


@dataclass(frozen=True, slots=True)
class CollectionSpec(Generic[T]):
    """Which of the two it is: its name, and how a home holds it."""

    noun: str
    all: Callable[[UnitOfWork], dict[str, T]]
    put: Callable[[UnitOfWork, T], T]
    drop: Callable[[UnitOfWork, str], None]


class Collection(Generic[T]):
    """The facts, or the instructions, of one home; no I/O to have it."""

    def __init__(
        self, engine: Engine, home: Callable[[], UserStream], kind: CollectionSpec[T]
    ) -> None:
        self.engine = engine
        self._home = home
        self._kind = kind

    def get(self, id: str) -> T | None:
        """The one of that id, of any status, or `None`."""
        return self._kind.all(self._home().look()).get(names.check(id, "id"))

    def forget(self, id: str) -> None:
        """Remove it for good, and what it had superseded; one that is not there is no error.

        A mark without any words stays, so that it is not learned again from what was said before.
        """
        id, now = names.check(id, "id"), self.engine.now()

        def step(held: UnitOfWork) -> None:
            known = self._kind.all(held)
            for gone in lineage(known.values(), id):
                if gone in known:  # an id that anybody made up, a model perhaps, leaves no mark
                    self._kind.drop(held, gone)
                    held.forget(gone, now)

        self._home().settle(step)

    def explain(self, id: str) -> list[Item]:
        """The items that it was learned from, as far as they are still there.

        Raises:
            NotFound: there is none of that id.
        """
        home = self._home()
        return said_at(self.engine, home.user, self._one(home.look(), id).sources)

    aget = async_twin(get)
    aforget = async_twin(forget)
    aexplain = async_twin(explain)

    def _one(self, held: UnitOfWork, id: str) -> T:
        found = self._kind.all(held)
        if names.check(id, "id") not in found:
            noun = self._kind.noun
            raise NotFound(
                f"there is no {noun} {id!r}; {noun}s.list(status=None) shows all there are"
            )
        return found[id]

    def _changed(self, id: str, said: Mapping[str, Any]) -> T:
        """The one of that id, once these fields of it were changed."""
        if said.get("status") == "active":
            said = {**said, "superseded_by": None}

        def step(held: UnitOfWork) -> UnitOfWork:
            self._kind.put(held, replace(self._one(held, id), **said))
            return held

        return self._kind.all(self._home().settle(step))[id]


def lineage(known: Iterable[T], id: str) -> list[str]:
    """The one of that id, and those that it took the place of, one after the other."""
    entries = list(known)
    found, queue = [id], [id]
    while queue:
        by = queue.pop()
        older = [one.id for one in entries if one.superseded_by == by and one.id not in found]
        found += older
        queue += older
    return found
