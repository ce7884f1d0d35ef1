"""Facts, instructions and summaries as values; storage and search are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Self, get_args

from threadkeep.printable import counted
from threadkeep.types.html_table import Cell, table
from threadkeep.types.states import Priority, Status

Reason = Literal[
    "not_said",
    "not_own",
    "assistant",
    "no_wish",
    "hearsay",
    "question",
    "order",
    "negation",
    "number",
    "name",
    "address",
    "language",
    "unverified",
    "forgotten",
    "retracted",
    "surplus",
    "unstorable",
    "unconfirmed",
]
REASONS: Final[tuple[str, ...]] = get_args(Reason)
"""Why something is not known:

not_said: the cited words do not say it, or other words of the conversation say it better.
not_own: it stands in what the user quoted or pasted.
assistant: only the assistant said it.
no_wish: the user's words ask for nothing.
hearsay: the user hands on what somebody else said or wants.
question: the user asks whether.
order: it is put as a fact, and tells the assistant what to do.
negation, number, name, address: it has one that nobody said, or lacks a "not" that was said.
language: no row of words for its language, so that an instruction in it cannot be checked.
unverified: the model, asked again, did not say that the words mean it.
forgotten: it was forgotten after it was said.
retracted: the user asked to forget it in the same conversation.
surplus: there was no room for more.
unstorable: it is empty, too long, or the redactor does not allow it.
unconfirmed: an agent noted it, and the user did not say it.
"""

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
        speaker: who said it: `user` or `assistant`; empty = not known.
        version: a digest of the item's text when it was read; empty = not known.
    """

    session: str
    item: str
    quote: str = ""
    namespace: str | None = None
    speaker: str = ""
    version: str = ""


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
        gloss: what a model made of it in another language than the user's; `text` are then the
            user's own words, and the gloss is searched and never told.
        reason: why it is in quarantine; empty = it is not, or nobody said.
        first_observed_at: when it was first said.
        category: the application's own; one word, such as `diet`.
        metadata: the application's own, JSON.
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
    gloss: str = ""
    reason: str = ""
    first_observed_at: datetime | None = None
    category: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
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
        gloss: as of a fact.
        reason: as of a fact.
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
    gloss: str = ""
    reason: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that a model proposed, or that had no more room, and that is not known.

    Attributes:
        id: for `facts.approve(id)`, or `instructions.approve(id)`.
        kind: `fact` or `instruction`.
        text: what it would have said.
        reason: why it was refused, one of `REASONS`.
        status: `dropped`, or `quarantined` where the entry itself waits in quarantine.
        sources: what was cited for it.
        gloss: as of a fact.
        refused_at: when.
    """

    id: str
    kind: str
    text: str
    reason: str
    status: str = "dropped"
    sources: tuple[Source, ...] = ()
    gloss: str = ""
    refused_at: datetime | None = None


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
    source_by_key = {
        (source.namespace, source.session, source.item): source for source in (*first, *later)
    }
    return tuple(source_by_key.values())[-SOURCES:]


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
        copies = "; ".join(self.beyond) or "nothing"
        record_text, session_text = counted(self, "record"), counted(self.sessions, "session")
        return f"<ForgetReport of {record_text}, {session_text}; left: {copies}>"

    def _repr_html_(self) -> str:
        """The receipt, for notebooks."""
        rows = [[Cell("out of reach", quiet=True), Cell(place)] for place in self.beyond]
        record_text, session_text = counted(self, "record"), counted(self.sessions, "session")
        return table(rows, f"{record_text} removed, {session_text} among them")
