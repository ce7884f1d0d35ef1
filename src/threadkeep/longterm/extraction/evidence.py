"""A batch that was read, and what is asked of everything that is learned from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.reply import Candidate, ParsedReply
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.validate import MAX_CHARACTERS
from threadkeep.types.knowledge import Fact, Instruction

REQUEST: Final = "request/1"
"""The `extractor` of what code took from the user's words without any model."""

T = TypeVar("T", Fact, Instruction)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A batch that was read, and what came of it.

    Attributes:
        engine: of the session.
        session: its id.
        namespace: of the session, where it is not that of long-term memory.
        user: whose it is.
        batch: what was read.
        reply: what the model made of it.
        facts: ids of the known facts by their numbers in the prompt, from 1.
        instructions: likewise.
        extractor_name: the model and the version of the prompt.
        verified: what the model said when it was asked again, by text; `None` = it was not.
    """

    engine: Engine
    session: str
    namespace: str | None
    user: str | None
    batch: Batch
    reply: ParsedReply = field(default_factory=ParsedReply)
    facts: Sequence[str] = ()
    instructions: Sequence[str] = ()
    extractor_name: str = REQUEST
    verified: Mapping[str, bool] | None = None

    def is_doubted(self, text: str) -> bool:
        """Whether the model was asked again about a text, and did not say that it was meant."""
        return self.verified is not None and not self.verified.get(text, True)


def was_forgotten(unit: UnitOfWork, id: str, observed_at: datetime | None) -> bool:
    """Whether it was forgotten after it was said; what is said anew may be known anew."""
    forgotten_at = unit.forgotten.get(id)
    if forgotten_at is None or id in unit.facts or id in unit.instructions:
        return False
    if observed_at is None or observed_at.timestamp() <= forgotten_at:
        return True
    unit.unmark_forgotten(id)
    return False


def related_entry(candidate: Candidate, ids: Sequence[str], entries: dict[str, T]) -> T | None:
    """What a candidate is about, of what was in the prompt and is still there."""
    related_number = candidate.related_number
    if related_number is None or not 1 <= related_number <= len(ids):
        return None
    return entries.get(ids[related_number - 1])


def storable_text(evidence: Evidence, text: str, kind: str) -> str | None:
    """The text as it may be stored, if it may."""
    single_line = " ".join(text.split())
    if not single_line or len(single_line) > MAX_CHARACTERS:
        return None
    return redacted(evidence.engine, single_line, kind) or None


def latest_time(lines: Iterable[TranscriptLine]) -> datetime | None:
    """When it was said last."""
    return max((created_at for line in lines if (created_at := line.item.created_at)), default=None)
