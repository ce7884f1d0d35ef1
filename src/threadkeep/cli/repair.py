"""`threadkeep repair`: find and fix broken histories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing
from threadkeep.cli.transfer import session_ids
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
    remaining = 0
    for id in session or session_ids(require_existing(memory), None):
        for problem, deleted in _repair_session(memory, id, fix):
            remaining += not deleted
            state = "deleted" if deleted else ""
            rows.append(
                (id, f"#{problem.seq}", problem.problem, problem.detail, problem.item, state)
            )
    if not rows:
        output.print_line("nothing is broken")
        return 0
    output.print_table(("session", "place", "problem", "what", "item", ""), rows)
    return int(remaining > 0)


def _repair_session(memory: Memory, id: str, fix: bool) -> Iterator[tuple[Finding, bool]]:
    chat = memory.session(id)
    problems = findings(chat.items())
    useless = [finding.item for finding in problems if finding.useless]
    if fix and useless:
        chat.remove(*useless)
    for problem in problems:
        yield problem, fix and problem.useless
