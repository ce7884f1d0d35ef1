"""What an import did: counts, and which entries were passed over and why."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

MAX_NAMED: Final = 1_000
"""Entries that a report names; the others are counted only."""


class Skipped(NamedTuple):
    """An entry that was not imported: where it stands, and why."""

    location: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What `import_chats` did, or would do.

    Attributes:
        formats: documents by the name of their format.
        sessions: sessions with messages.
        new_sessions: those of them that did not exist before; all of them in a dry run.
        messages: messages that are new; all of them in a dry run.
        existing: messages, facts and instructions that were there already, or were forgotten here,
            and are left as they are.
        facts: new facts.
        instructions: new instructions, which wait for approval.
        files: files of sessions.
        skipped: the entries that were passed over, the first 1,000 of them.
        skipped_count: how many there were.
        ignored: documents of no known format beside others that were read, as the list of
            accounts in the zip of an export.
        is_dry_run: whether nothing was written.
    """

    formats: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    new_sessions: int = 0
    messages: int = 0
    existing: int = 0
    facts: int = 0
    instructions: int = 0
    files: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    skipped_count: int = 0
    ignored: list[str] = field(default_factory=list)
    is_dry_run: bool = False
    _session_hashes: set[int] = field(default_factory=set, repr=False)

    def count_session(self, id: str, *, is_new: bool) -> None:
        """Count a session, once however many runs of lines it has."""
        if (session_hash := hash(id)) not in self._session_hashes:
            self._session_hashes.add(session_hash)
            self.sessions += 1
            self.new_sessions += is_new

    def skip(self, location: str, reason: str) -> None:
        """Count an entry that is passed over, and name it if not too many were."""
        self.skipped_count += 1
        if len(self.skipped) < MAX_NAMED:
            self.skipped.append(Skipped(location, reason))

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        count_by_name = {name: getattr(self, name) for name in _COUNTS}
        skipped_entries = [skipped_entry._asdict() for skipped_entry in self.skipped]
        return {
            "formats": dict(self.formats),
            **count_by_name,
            "skipped": skipped_entries,
            "ignored": self.ignored,
        }


_COUNTS: Final = (
    "sessions", "new_sessions", "messages", "existing", "facts", "instructions", "files",
    "skipped_count", "is_dry_run",
)  # fmt: skip
