"""Facts, instructions and summaries as values; storage and search are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Self, get_args

Status = Literal["active", "superseded", "quarantined"]
STATUSES: Final[tuple[str, ...]] = get_args(Status)

Priority = Literal["explicit", "preference", "inferred"]
PRIORITIES: Final[tuple[str, ...]] = get_args(Priority)

APPLICATION: Final = "application"
"""The `extractor` of what an application added by itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """An item from which a fact or instruction was learned.

    Attributes:
        session: the id of the session.
        item: the id of the item in it.
        quote: the words that say it.
        namespace: of the session, where it is not that of the user's own memory.
    """

    session: str
    item: str
    quote: str = ""
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a user.

    Attributes:
        id: made of the text, so that the same fact is stored once.
        text: in the third person, complete in itself, with absolute dates.
        sources: what it was learned from; none if the application knows it from elsewhere.
        status: `active`; `superseded` by a later fact; `quarantined` until somebody approves it.
        confidence: from 0 to 1.
        pinned: always told to the model, and never let go to make room.
        seen: how often it was learned.
        observed_at: when it was last said.
        valid_from: from when it holds, if that was said.
        valid_to: until when it holds or held.
        superseded_by: the id of the fact that took its place.
        expires_at: from when it is not known any more.
        extractor: who learned it: `application`, `agent`, or a model and the version of its prompt.
        created_at: when it was first stored.
        seq: its place in the user's memory, given by the store; 0 = not stored.
    """

    id: str
    text: str
    sources: tuple[Source, ...] = ()
    status: Status = "active"
    confidence: float = 1.0
    pinned: bool = False
    seen: int = 1
    observed_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    superseded_by: str | None = None
    expires_at: datetime | None = None
    extractor: str = APPLICATION
    created_at: datetime | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction of a user on how to be answered.

    Attributes:
        id: made of the text and of where it holds.
        text: what to do or to leave.
        priority: `explicit` (always, never, from now on), a stated `preference`, or `inferred`.
        agent: the only agent it is meant for; `None` = every one.
        session: the only session it is meant for; `None` = every one.
        sources: what it was learned from.
        status: as of a fact.
        pinned: never let go to make room.
        seen: how often it was said.
        observed_at: when it was last said; of two that contradict each other the newer holds.
        superseded_by: the id of the instruction that took its place.
        expires_at: from when it does not hold any more.
        extractor: who learned it.
        created_at: when it was first stored.
        seq: its place in the user's memory, given by the store; 0 = not stored.
    """

    id: str
    text: str
    priority: Priority = "explicit"
    agent: str | None = None
    session: str | None = None
    sources: tuple[Source, ...] = ()
    status: Status = "active"
    pinned: bool = False
    seen: int = 1
    observed_at: datetime | None = None
    superseded_by: str | None = None
    expires_at: datetime | None = None
    extractor: str = APPLICATION
    created_at: datetime | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A session's summary, up to `last_seq`.

    Attributes:
        session: the id of the session.
        text: a few sentences.
        topics: a few words each.
        last_seq: the last item it covers.
        version: how often it was written.
        updated_at: when it was written last.
    """

    session: str
    text: str
    topics: tuple[str, ...] = ()
    last_seq: int = 0
    version: int = 1
    updated_at: datetime | None = None


def merged_sources(first: Iterable[Source], later: Iterable[Source]) -> tuple[Source, ...]:
    """Merge two lists of sources in order, without duplicates; keep the newest `SOURCES`."""
    unique = {
        (source.namespace, source.session, source.item): source for source in (*first, *later)
    }
    return tuple(unique.values())[-SOURCES:]


SOURCES: Final = 20
"""The most sources kept per fact."""


class ForgetReport(int):
    """The number of records that were removed, with what could not be removed.

    Attributes:
        sessions: how many sessions were removed.
        beyond: where copies may remain that the store cannot reach, and data in other
            namespaces, in words.
    """

    sessions: int
    beyond: tuple[str, ...]

    def __new__(cls, records: int, sessions: int = 0, beyond: Iterable[str] = ()) -> Self:
        report = super().__new__(cls, records)
        report.sessions, report.beyond = sessions, tuple(beyond)
        return report

    def __repr__(self) -> str:
        remaining = "; ".join(self.beyond) or "nothing"
        return f"<ForgetReport of {int(self)} records, {self.sessions} sessions; left: {remaining}>"
