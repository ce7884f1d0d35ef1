"""`threadkeep repair`: which histories are broken, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import present
from threadkeep.cli.transfer import all_ids
from threadkeep.messages.diagnostics import Finding, findings


def repair(
    memory: Memory,
    session: Annotated[list[str] | None, typer.Argument(help="Ids; none for all.")] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Delete what no window will ever show.")
    ] = False,
) -> int:
    """Name broken histories: unanswered calls, results without a call, unreadable records.

    Windows work around all three. --fix deletes results without a call and unreadable records.
    Exit code 1 if something is broken and stays so.
    """
    rows = []
    left = 0
    for id in session or all_ids(present(memory), None):
        for found, done in _repaired(memory, id, fix):
            left += not done
            state = "deleted" if done else ""
            rows.append((id, f"#{found.seq}", found.problem, found.detail, found.item, state))
    if not rows:
        output.line("nothing is broken")
        return 0
    output.table(("session", "place", "problem", "what", "item", ""), rows)
    return int(left > 0)


def _repaired(memory: Memory, id: str, fix: bool) -> Iterator[tuple[Finding, bool]]:
    chat = memory.session(id)
    found = findings(chat.items())
    useless = [finding.item for finding in found if finding.useless]
    if fix and useless:
        chat.remove(*useless)
    for finding in found:
        yield finding, fix and finding.useless
