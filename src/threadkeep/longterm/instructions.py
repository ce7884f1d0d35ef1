"""Instructions: how a user wants to be served; `user.instructions`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import InputError
from threadkeep.longterm.html import EntryListing
from threadkeep.longterm.store import validate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.collection import Collection, CollectionSpec
from threadkeep.longterm.store.merge_instructions import (
    MAX_INSTRUCTIONS,
    evict_surplus,
    merge_instruction,
    rank_key,
    ranked,
)
from threadkeep.longterm.store.unit_of_work import UnitOfWork, superseded
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.longterm.store.validate import Moment
from threadkeep.printable import shown
from threadkeep.types import Listing
from threadkeep.types.knowledge import APPLICATION, Instruction, Refusal
from threadkeep.types.states import PRIORITIES, Priority, Status
from threadkeep.types.timestamps import utc_datetime

__all__ = [
    "MAX_INSTRUCTIONS",
    "Instructions",
    "evict_surplus",
    "merge_instruction",
    "rank_key",
    "ranked",
]

UNSET: Final[Any] = object()


def _approved(refusal: Refusal, now: float) -> Instruction:
    """The instruction that somebody approves although it was let go."""
    return Instruction(
        identity("instruction", refusal.text, None, None),
        refusal.text,
        sources=refusal.sources,
        observed_at=refusal.refused_at,
        created_at=utc_datetime(now),
        gloss=refusal.gloss,
    )


_SPEC: Final = CollectionSpec(
    "instruction",
    attrgetter("instructions"),
    UnitOfWork.put_instruction,
    UnitOfWork.drop_instruction,
    lambda id: Instruction(id, ""),
    merge_instruction,
    _approved,
)


@explain_wrong_calls
class Instructions(Collection[Instruction]):
    """The instructions of a user, or of a session without one; every verb has an async twin."""

    def __init__(self, engine: Engine, user_stream: Callable[[], UserStream]) -> None:
        super().__init__(engine, user_stream, _SPEC)

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
        status: Status = "active",
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
            status: `quarantined` = followed by nobody before `update` approves it, unless it is
                known as active already.

        Raises:
            InputError: a value is not what it should be; it is named. Nothing was written.
            NotFound: there is no instruction `replaces`.
        """
        now = self._engine.now()
        clean_text = validate.checked_text(self._engine, text, "instruction")
        agent, session = _optional_name(agent, "agent"), _optional_name(session, "session")
        instruction = Instruction(
            identity("instruction", clean_text, agent, session),
            clean_text,
            _checked_priority(priority),
            agent=agent,
            session=session,
            sources=validate.checked_sources(self._engine, sources),
            status=validate.checked_status(status) or "active",
            pinned=bool(pinned),
            observed_at=validate.checked_moment(observed_at, "observed_at") or utc_datetime(now),
            expires_at=validate.checked_moment(expires_at, "expires_at"),
            extractor=names.check(extractor, "extractor"),
            created_at=utc_datetime(now),
        )
        unit = self._user_stream().transact(lambda unit: self._put(unit, instruction, replaces))
        return unit.instructions.get(instruction.id, instruction)

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
        changes: dict[str, Any] = {}
        if status is not None:
            changes["status"] = validate.checked_status(status)
        if priority is not None:
            changes["priority"] = _checked_priority(priority)
        if pinned is not None:
            changes["pinned"] = bool(pinned)
        if expires_at is not UNSET:
            changes["expires_at"] = validate.checked_moment(expires_at, "expires_at")
        return self._apply_changes(id, changes)

    @reads
    def list(self, *, status: Status | None = "active") -> Listing[Instruction]:
        """The instructions of a status, or of every one (`None`): those that weigh most first.

        Explicit ones before preferences before inferred ones, the newest of each first.

        Raises:
            InputError: there is no such status.
        """
        checked_status = validate.checked_status(status)
        instructions = self._user_stream().load().instructions.values()
        return EntryListing(
            ranked(
                instruction
                for instruction in instructions
                if checked_status in (None, instruction.status)
            )
        )

    aadd = async_twin(add)
    aupdate = async_twin(update)
    alist = async_twin(list)

    def _put(self, unit: UnitOfWork, instruction: Instruction, replaces: str | None) -> UnitOfWork:
        """Put an entry of the application, and supersede the one it replaces."""
        store_discards = self._engine.longterm.discards
        if replaces is not None and replaces != instruction.id and not store_discards:
            unit.put_instruction(superseded(self._require(unit, replaces), instruction.id))
        if instruction.status == "active":
            unit.unmark_forgotten(instruction.id)
        merge_instruction(unit, instruction)
        evict_surplus(unit, self._engine.now())
        return unit


def _optional_name(value: str | None, label: str) -> str | None:
    return None if value is None else names.check(value, label)


def _checked_priority(priority: Priority) -> Priority:
    if priority not in PRIORITIES:
        raise InputError(f"priority must be one of {', '.join(PRIORITIES)}, got {shown(priority)}")
    return priority
