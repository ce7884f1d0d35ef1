"""What a merge changed, and what it let go: counted, and kept with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from threadkeep.longterm.extraction.batch import TranscriptLine
from threadkeep.longterm.extraction.evidence import Evidence, storable_text
from threadkeep.longterm.extraction.quotation import cited_sources
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.store.codec import identity
from threadkeep.types.knowledge import Fact, Instruction, Reason, Refusal
from threadkeep.types.timestamps import utc_datetime


@dataclass(slots=True)
class ExtractionCounts:
    """What a merge changed.

    Attributes:
        facts: learned, or seen again; also those in quarantine.
        instructions: likewise.
        dropped: proposals that were let go.
        quarantined: proposals that wait for somebody's approval.
        refusals: both, with their reasons.
    """

    facts: int = 0
    instructions: int = 0
    dropped: int = 0
    quarantined: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def report(self) -> Report:
        """The numbers, as `extract` reports them."""
        return Report(
            facts=self.facts,
            instructions=self.instructions,
            dropped=self.dropped,
            quarantined=self.quarantined,
        )

    def drop(
        self,
        evidence: Evidence,
        kind: str,
        text: str,
        reason: Reason,
        lines: Iterable[TranscriptLine] = (),
        *,
        quote: str = "",
        gloss: str = "",
    ) -> None:
        """Note a proposal that is not kept; its text only if it may be stored."""
        self.dropped += 1
        text_to_store = storable_text(evidence, text, kind)
        if text_to_store is None:
            return
        sources = cited_sources(lines, text, quote, evidence.session, evidence.namespace)
        self.refusals.append(
            Refusal(
                identity("refused", text_to_store, kind),
                kind,
                text_to_store,
                reason,
                sources=sources,
                gloss=gloss,
                refused_at=utc_datetime(evidence.engine.now()),
            )
        )

    def quarantine(self, entry: Fact | Instruction) -> None:
        """Count an entry that was put into quarantine; it keeps its own reason."""
        self.quarantined += 1
