"""Instructions: how a user wants to be served; `user.instructions`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine, async_twin
from threadkeep.errors import InputError
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
    PRIORITIES,
    Instruction,
    Priority,
    Status,
    merged_sources,
)
from threadkeep.types.timestamps import moment

MOST: Final = 200
"""Instructions that are kept of one user, of any status and for any agent."""

UNSET: Final[Any] = object()


_KIND: Final = CollectionSpec(
    "instruction",
    attrgetter("instructions"),
    UnitOfWork.put_instruction,
    UnitOfWork.drop_instruction,
)


class Instructions(Collection[Instruction]):
    """The instructions of a user, or of a session without one; every verb has an async twin."""

    def __init__(self, engine: Engine, home: Callable[[], UserStream]) -> None:
        super().__init__(engine, home, _KIND)

    def add(
        self,
        text: str,
        *,
        priority: Priority = "explicit",
        agent: str | None = None,
        session: str | None = None,
        sources: Iterable[object] = (),
        pinned: bool = False,
        observed_at: Moment | None = None,
        expires_at: Moment | None = None,
        replaces: str | None = None,
        extractor: str = APPLICATION,
    ) -> Instruction:
        """Store an instruction, and return it as stored; a known one counts as said again.

        Args:
            text: what to do or to leave: "Answer in French".
            priority: `explicit` (always, never, from now on), a stated `preference`, or `inferred`.
            agent: the only agent it is meant for.
            session: the id of the only session it is meant for.
            sources: where it was said: `Source`s, or pairs of a session id and an item.
            pinned: never let it go to make room.
            observed_at: when it was said; else now. Of contradicting ones the newest holds.
            expires_at: from when it does not hold any more.
            replaces: the id of the instruction whose place it takes.
            extractor: who learned it.

        Raises:
            InputError: a value is not what it should be; it is named. Nothing was written.
            NotFound: there is no instruction `replaces`.
        """
        if priority not in PRIORITIES:
            raise InputError(f"priority must be one of {', '.join(PRIORITIES)}, got {priority!r}")
        now = self.engine.now()
        told = validate.checked_text(self.engine, text, "instruction")
        agent = None if agent is None else names.check(agent, "agent")
        session = None if session is None else names.check(session, "session")
        said = Instruction(
            identity("instruction", told, agent, session),
            told,
            priority,
            agent=agent,
            session=session,
            sources=validate.checked_sources(self.engine, sources),
            pinned=bool(pinned),
            observed_at=validate.checked_moment(observed_at, "observed_at") or moment(now),
            expires_at=validate.checked_moment(expires_at, "expires_at"),
            extractor=names.check(extractor, "extractor"),
            created_at=moment(now),
        )
        held = self._home().settle(lambda held: self._put(held, said, replaces))
        return held.instructions.get(said.id, said)

    def update(
        self,
        id: str,
        *,
        status: Status | None = None,
        priority: Priority | None = None,
        pinned: bool | None = None,
        expires_at: Moment | None = UNSET,
    ) -> Instruction:
        """Change what is known of an instruction: `status="active"` approves one in quarantine.

        Raises:
            NotFound: there is no such instruction.
            InputError: a value is not what it should be; it is named.
        """
        said: dict[str, Any] = {}
        if status is not None:
            said["status"] = validate.checked_status(status)
        if priority is not None:
            if priority not in PRIORITIES:
                raise InputError(
                    f"priority must be one of {', '.join(PRIORITIES)}, got {priority!r}"
                )
            said["priority"] = priority
        if pinned is not None:
            said["pinned"] = bool(pinned)
        if expires_at is not UNSET:
            said["expires_at"] = validate.checked_moment(expires_at, "expires_at")
        return self._changed(id, said)

    def list(self, *, status: Status | None = "active") -> Listing[Instruction]:
        """The instructions of a status, or of every one (`None`): those that weigh most first.

        Explicit ones before preferences before inferred ones, the newest of each first.

        Raises:
            InputError: there is no such status.
        """
        wanted = validate.checked_status(status)
        found = self._home().look().instructions.values()
        return Learned(ranked(one for one in found if wanted in (None, one.status)))

    aadd = async_twin(add)
    aupdate = async_twin(update)
    alist = async_twin(list)

    def _put(self, held: UnitOfWork, said: Instruction, replaces: str | None) -> UnitOfWork:
        """What a home holds once the application's word stands in it."""
        if replaces is not None and replaces != said.id:
            held.put_instruction(superseded(self._one(held, replaces), said.id))
        held.unforget(said.id)
        learn(held, said)
        make_room(held)
        return held


def ranked(instructions: Iterable[Instruction]) -> list[Instruction]:
    """Those that weigh most first."""
    return sorted(instructions, key=worth, reverse=True)


def learn(held: UnitOfWork, said: Instruction) -> Instruction:
    """Put an instruction; one that is known already was said once more, and keeps what it has."""
    known = held.instructions.get(said.id)
    if known is None:
        return held.put_instruction(said)
    active = said.status == "active" or known.status == "active"
    return held.put_instruction(
        replace(
            said,
            sources=merged_sources(known.sources, said.sources),
            status="active" if active else known.status,
            superseded_by=None if active else known.superseded_by,
            priority=min(known.priority, said.priority, key=PRIORITIES.index),
            pinned=known.pinned or said.pinned,
            seen=known.seen + 1,
            observed_at=max(filter(None, (known.observed_at, said.observed_at)), default=None),
            expires_at=said.expires_at or known.expires_at,
            created_at=known.created_at,
            seq=known.seq,
        )
    )


def make_room(held: UnitOfWork, most: int = MOST) -> None:
    """Let those of the least weight go, if there are too many."""
    for id in validate.surplus(held.instructions, most, worth):
        held.drop_instruction(id)


def worth(one: Instruction) -> tuple[bool, bool, int, float]:
    """How much an instruction weighs: that it holds, that it is pinned, how plain, how new."""
    at = one.observed_at or one.created_at
    newness = 0.0 if at is None else at.timestamp()
    return one.status == "active", one.pinned, -PRIORITIES.index(one.priority), newness
