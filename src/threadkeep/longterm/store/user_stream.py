"""Streams of extracted knowledge: one per user, or per session without a user.

A change reads the complete stream, decides, and commits if nothing changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from threadkeep.core.engine import Engine
from threadkeep.errors import BackendError, Conflict
from threadkeep.longterm.store.unit_of_work import (
    FACT,
    FACT_COUNT,
    FORGOTTEN,
    MAX_FACTS,
    USER,
    WATERMARK,
    UnitOfWork,
)
from threadkeep.sessions import derived
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Query, Ttl

T = TypeVar("T")

__all__ = ["UserStream", "for_session"]

_TRIES: Final = 64


class UserStream:
    """The memory of one user, or of one session without a user. Creating one does no I/O.

    Attributes:
        engine: engine of the long-term store.
        name: of its stream there.
        user: the owner; `None` = the session itself. A session's stream expires with the session,
            or after `ttl` seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        user: str | None,
        session: str | None = None,
        ttl: float | None = None,
    ) -> None:
        self.user = user
        self.engine = engine.longterm
        if user is not None:
            self.name = self.engine.stream("user", user)
            self._ttl: Ttl = None
        else:
            self.name = derived.stream(engine, derived.ANONYMOUS, session or "")
            self._ttl = engine.settings.ttl if ttl is None else ttl

    def load(self) -> UnitOfWork:
        """Load all entries in one round trip."""
        kind_queries = [Query(self.name, record_kind) for record_kind in UnitOfWork.ALL_KINDS]
        return UnitOfWork(self.engine.read(*kind_queries))

    def load_facts(self, ids: Sequence[str]) -> UnitOfWork | None:
        """Load what adding these facts needs, however many are known; `None` = load all instead.

        That is so where one of them is known as superseded, or where there may be too many.
        """
        ids_by_kind: dict[str, Sequence[str]] = {
            FACT: ids,
            FORGOTTEN: [*ids, USER],
            WATERMARK: [FACT_COUNT],
        }
        kind_queries = [
            Query(self.name, record_kind, ids=list(ids_by_kind[record_kind]))
            if record_kind in ids_by_kind
            else Query(self.name, record_kind, limit=0)
            for record_kind in UnitOfWork.ALL_KINDS
        ]
        unit_of_work = UnitOfWork(self.engine.read(*kind_queries), partial=True)
        max_stored_count = MAX_FACTS - len(ids)
        if unit_of_work.version and (
            unit_of_work.fact_count is None or unit_of_work.fact_count > max_stored_count
        ):
            return None
        if any(fact.status == "superseded" for fact in unit_of_work.facts.values()):
            return None
        return unit_of_work

    def transact_facts(self, ids: Sequence[str], step: Callable[[UnitOfWork], T]) -> T:
        """As `transact`, of a step that looks at no other facts than these."""
        return self.transact(step, loaded_unit=self.load_facts(ids))

    def transact(
        self, step: Callable[[UnitOfWork], T], *, loaded_unit: UnitOfWork | None = None
    ) -> T:
        """Apply a step and commit its changes atomically; retry on a conflict.

        Args:
            step: changes the loaded entries; may be called several times.
            loaded_unit: entries that were loaded a moment ago, if any.

        Raises:
            BackendError: every try met a conflict, or the user is being forgotten.
        """
        for _ in range(_TRIES):
            unit_of_work = loaded_unit or self.load()
            loaded_unit = None
            if unit_of_work.is_forgotten:
                raise BackendError(
                    "this user is being forgotten: forget() did not end yet, or was cut short; "
                    "calling it again finishes it"
                )
            step_outcome = step(unit_of_work)
            if self.commit(unit_of_work):
                return step_outcome
        raise BackendError(
            f"what is known of the user was changed by others at each of {_TRIES} tries; try again"
        )

    def commit(self, unit: UnitOfWork) -> bool:
        """Commit the changes. Returns False if the stream changed since it was loaded."""
        records_to_put, drops = unit.changes(self.engine.now())
        if not records_to_put and not drops:
            return True
        try:
            commit_result = self.engine.commit(
                self.name, put=records_to_put, drop=drops, ttl=self._ttl, expect=unit.version
            )
        except Conflict:
            return False
        unit.assign_seqs(records_to_put, commit_result.seqs)
        return True

    def delete(self) -> None:
        """Delete the stream."""
        self.engine.commit(self.name, drop=[Drop()], ttl=self._ttl)


def for_session(session_stream: SessionStream) -> UserStream:
    """The stream for what is extracted from a session: its owner's, else the session's own.

    Reads the session if its owner is not known yet.

    Raises:
        NotOwner: the session belongs to another user.
    """
    owner_id = session_stream.owner
    if owner_id is None:
        session_info = session_stream.read().info
        owner_id = None if session_info is None else session_info.user
    return UserStream(session_stream.engine, user=owner_id, session=session_stream.id)
