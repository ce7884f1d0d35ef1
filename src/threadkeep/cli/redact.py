"""`threadkeep redact`: replace a pattern in what is stored already."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.redact_entries import (
    RedactedEntry,
    Redaction,
    redact_knowledge,
    redact_session,
)
from threadkeep.cli.store import require_existing
from threadkeep.cli.transfer import session_ids
from threadkeep.errors import InputError
from threadkeep.printable import counted


def redact(
    memory: Memory,
    pattern: Annotated[str, typer.Argument(help="A regular expression, as Python has them.")],
    replacement: Annotated[
        str, typer.Option(help="What is put in place of each match; \\1 is its first group.")
    ] = "[REDACTED]",
    session: Annotated[list[str] | None, typer.Option(help="Only in these sessions.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what has a match.")] = False,
) -> None:
    """Replace each match of a pattern in items, titles, files, responses, facts and summaries.

    Hidden items are looked at too. Feedback, and records that cannot be read, are not. A summary
    with a match is deleted. Interrupted, it can be repeated; copies of the store, and what a
    database keeps of old rows, are not reached.
    """
    redaction = Redaction(_compiled(pattern), replacement, dry_run)
    _check_replacement(redaction)
    existing_memory = require_existing(memory)
    count_by_kind: Counter[str] = Counter()
    seen_owner_ids: set[str | None] = set()
    for session_id in session or session_ids(existing_memory, None):
        for entry in redact_session(existing_memory, session_id, redaction):
            _report(entry, count_by_kind)
        session_info = existing_memory.session(session_id).info()
        owner_id = None if session_info is None else session_info.user
        if owner_id is None or owner_id not in seen_owner_ids:
            for entry in redact_knowledge(existing_memory, session_id, redaction):
                _report(entry, count_by_kind)
        seen_owner_ids.add(owner_id)
    verb = "with a match" if dry_run else "changed"
    kinds = ", ".join(counted(count, kind) for kind, count in sorted(count_by_kind.items()))
    entry_text = counted(count_by_kind.total(), "entry", "entries")
    output.print_line(f"{entry_text} {verb}" + (f": {kinds}" if kinds else ""))


def _report(entry: RedactedEntry, count_by_kind: Counter[str]) -> None:
    count_by_kind[entry.kind] += 1
    output.print_line(f"{entry.owner}  {entry.kind}  {entry.id}")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled_pattern = re.compile(pattern)
    except re.error as error:
        raise InputError(f"PATTERN is not a regular expression: {error}") from error
    if compiled_pattern.search(""):
        raise InputError("PATTERN matches the empty text, so it would match everywhere")
    return compiled_pattern


def _check_replacement(redaction: Redaction) -> None:
    """Refuse a replacement that `re` does not take, or that has a match itself."""
    try:
        re.sub(f"(?:{redaction.pattern.pattern})?", redaction.replacement, "")
    except (re.error, IndexError) as error:
        raise InputError(f"--replacement cannot be used with PATTERN: {error}") from error
    if redaction.pattern.search(redaction.replacement):
        raise InputError("--replacement has a match itself, so that it would be found again")
