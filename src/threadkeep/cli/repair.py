"""`threadkeep repair`: find and fix broken histories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing
from threadkeep.cli.transfer import session_ids
from threadkeep.longterm.repair import store_findings
from threadkeep.messages.diagnostics import Finding, findings

Row = tuple[str, str, str, str, str, str]


def repair(
    memory: Memory,
    session: Annotated[list[str] | None, typer.Argument(help="Ids; none for all.")] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Delete what no window will ever show; mend the rest.")
    ] = False,
) -> int:
    """Name broken histories, unreadable records and orphans.

    Histories: unanswered calls, results without a call, items that cannot be read. Windows work
    around all three. Without ids the whole store is looked at, also for records that belong to
    nothing: entries of lists and pointers without a session, responses without their entry, what
    a cut-short deletion or import left. --fix removes these, results without a call and unreadable
    records, and puts sessions back on their owners' lists. Exit code 1 if something stays broken.
    """
    rows: list[Row] = []
    remaining = 0
    if not session:
        for finding in store_findings(require_existing(memory)._engine):
            is_fixed = bool(fix and finding.fix is not None and finding.fix())
            remaining += not is_fixed
            rows.append((finding.stream, "", finding.problem, finding.detail, "", _state(is_fixed)))
    for id in session or session_ids(require_existing(memory), None):
        for problem, is_deleted in _repair_session(memory, id, fix):
            remaining += not is_deleted
            state_text = _state(is_deleted)
            rows.append(
                (id, f"#{problem.seq}", problem.problem, problem.detail, problem.item, state_text)
            )
    if not rows:
        output.print_line("nothing is broken")
        return 0
    output.print_table(("session", "place", "problem", "what", "item", ""), rows)
    return int(remaining > 0)


def _state(mended: bool) -> str:
    return "fixed" if mended else ""


def _repair_session(memory: Memory, id: str, fix: bool) -> Iterator[tuple[Finding, bool]]:
    chat = memory.session(id)
    problems = findings(chat.items())
    useless_items = [finding.item for finding in problems if finding.useless]
    if fix and useless_items:
        chat.remove(*useless_items)
    for problem in problems:
        yield problem, fix and problem.useless
