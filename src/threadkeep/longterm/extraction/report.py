"""What came of reading sessions, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Report:
    """What `memory.extract()` did, and what it could not do.

    Attributes:
        sessions: with something to read.
        batches: that were read.
        facts: learned, or seen again.
        instructions: likewise.
        summaries: written.
        dropped: proposals of the model that were let go, and entries for which there was no more
            room: `user.refused()` lists them with the reason.
        quarantined: proposals that wait for approval, counted among the facts and instructions.
        failures: batches that were tried in vain; they are tried again later.
        dead: sessions that failed too often: `extract(retry=True)` tries them again.
        waiting: sessions that failed a moment ago, and that are not due yet.
        busy: sessions that another worker has: another process, or another `Memory`.
        exhausted: sessions of users whose budget of the day is spent.
        calls: to the model.
        prompt_tokens: that it was asked with.
        completion_tokens: that it answered with.
        errors: why there were failures: classes and statuses, no texts.
    """

    sessions: int = 0
    batches: int = 0
    facts: int = 0
    instructions: int = 0
    summaries: int = 0
    failures: int = 0
    dead: int = 0
    waiting: int = 0
    busy: int = 0
    exhausted: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    errors: tuple[str, ...] = ()
    dropped: int = 0
    quarantined: int = 0

    def __add__(self, other: Report) -> Report:
        return Report(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(Report))
        )

    def as_one_session(self) -> Report:
        """The same, of batches that were all of one session."""
        return replace(self, sessions=min(self.sessions, 1))

    @property
    def complete(self) -> bool:
        """Whether nothing was left unread."""
        return not (self.failures or self.dead or self.waiting or self.busy or self.exhausted)
