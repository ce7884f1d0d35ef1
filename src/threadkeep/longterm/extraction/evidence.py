"""A batch that was read, and what is asked of everything that is learned from one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.longterm.extraction.batch import Batch, Line
from threadkeep.longterm.extraction.reply import Answered, Candidate
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.validate import LONGEST
from threadkeep.types.knowledge import Fact, Instruction

REQUEST: Final = "request/1"
"""The `extractor` of what code took from the user's words without any model."""

T = TypeVar("T", Fact, Instruction)


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch that was read, and what came of it.

    Attributes:
        engine: of the session.
        session: its id.
        namespace: of the session, where it is not that of long-term memory.
        user: whose it is.
        batch: what was read.
        answered: what the model made of it.
        facts: ids of the known facts by their numbers in the prompt, from 1.
        instructions: likewise.
        extractor: the model and the version of the prompt.
    """

    engine: Engine
    session: str
    namespace: str | None
    user: str | None
    batch: Batch
    answered: Answered = field(default_factory=Answered)
    facts: Sequence[str] = ()
    instructions: Sequence[str] = ()
    extractor: str = REQUEST


def is_forgotten(held: UnitOfWork, id: str, at: datetime | None) -> bool:
    """Whether it was forgotten after it was said; what is said anew may be known anew."""
    forgotten = held.forgotten.get(id)
    if forgotten is None:
        return False
    if at is None or at.timestamp() <= forgotten:
        return True
    held.unforget(id)
    return False


def related_to(candidate: Candidate, ids: Sequence[str], held: dict[str, T]) -> T | None:
    """What a candidate is about, of what was in the prompt and is still there."""
    number = candidate.known
    if number is None or not 1 <= number <= len(ids):
        return None
    return held.get(ids[number - 1])


def storable(reading: Reading, text: str, kind: str) -> str | None:
    """The text as it may be stored, if it may."""
    told = " ".join(text.split())
    if not told or len(told) > LONGEST:
        return None
    return redacted(reading.engine, told, kind) or None


def said_at(lines: Iterable[Line]) -> datetime | None:
    """When it was said last."""
    return max((at for line in lines if (at := line.item.created_at)), default=None)
