"""Where what was learned is kept: one stream per user, or per session that has no user.

Everything that changes a home reads it whole, decides, and commits if nothing changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from threadkeep.core.engine import Engine
from threadkeep.errors import BackendError, Conflict
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.sessions.derived import ANONYMOUS
from threadkeep.sessions.derived import stream as session_stream
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Query, Ttl

T = TypeVar("T")

__all__ = ["UserStream", "of_session", "session_stream"]

_TRIES: Final = 64


class UserStream:
    """The memory of one user, or of one session without a user; no I/O to make one.

    Attributes:
        engine: of the store that long-term memory is in.
        stream: its name there.
        user: whose it is; `None` = a session's own, which lives as long as an application's write
            to the session makes it, or as long as is said.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        user: str | None,
        session: str | None = None,
        life: float | None = None,
    ) -> None:
        self.user = user
        self.engine = engine.longterm
        if user is not None:
            self.stream = self.engine.stream("user", user)
            self._ttl: Ttl = None
        else:
            self.stream = session_stream(engine, ANONYMOUS, session or "")
            self._ttl = engine.settings.ttl if life is None else life

    def look(self) -> UnitOfWork:
        """Everything it holds, in one round trip."""
        queries = [Query(self.stream, kind) for kind in UnitOfWork.KINDS]
        return UnitOfWork(self.engine.read(*queries))

    def settle(self, step: Callable[[UnitOfWork], T], *, first: UnitOfWork | None = None) -> T:
        """Take the step, and commit what it changed in one step; again where it met another.

        Args:
            step: gets what the home holds, changes it, and may be called several times.
            first: what the home held a moment ago, if that is known.

        Raises:
            BackendError: it met others at every try, or the user is being forgotten.
        """
        for _ in range(_TRIES):
            held = first or self.look()
            first = None
            if held.is_forgotten:
                raise BackendError(
                    "this user is being forgotten: forget() did not end yet, or was cut short; "
                    "calling it again finishes it"
                )
            found = step(held)
            if self.commit(held):
                return found
        raise BackendError(
            f"what is known of the user was changed by others at each of {_TRIES} tries; try again"
        )

    def commit(self, held: UnitOfWork) -> bool:
        """Store what was changed, if the home is as it was; whether it was."""
        put, drop = held.changes(self.engine.now())
        if not put and not drop:
            return True
        try:
            done = self.engine.commit(
                self.stream, put=put, drop=drop, ttl=self._ttl, expect=held.version
            )
        except Conflict:
            return False
        held.stored(put, done.seqs)
        return True

    def drop(self) -> None:
        """Remove everything at once."""
        self.engine.commit(self.stream, drop=[Drop()], ttl=self._ttl)


def of_session(door: SessionStream) -> UserStream:
    """The home of what is learned in a session: its owner's, or its own if it has none.

    Reads the session if its owner is not known yet.

    Raises:
        NotOwner: the session belongs to another user.
    """
    owner = door.owner
    if owner is None:
        info = door.look().info
        owner = None if info is None else info.user
    return UserStream(door.engine, user=owner, session=door.id)
