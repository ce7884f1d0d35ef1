"""`threadkeep sessions`: list sessions."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.dates import Period, Since, Until, period, sessions_in
from threadkeep.cli.output import format_time, print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.types import Listing, SessionInfo


def sessions(
    memory: Memory,
    user: Annotated[
        str | None, typer.Option(help="Only this user's, the most recently written first.")
    ] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List sessions: id, user, title, dates. With dates, those last written in that time.

    With dates it reads all sessions, or all of the user, so it takes longer in a large store.
    """
    session_page = _page(require_existing(memory), user, period(since, until), limit)
    if json:
        print_json([asdict(info) for info in session_page[:limit]])
        return
    print_table(
        ("session", "user", "title", "began", "last written"),
        [
            (
                info.id,
                info.user,
                info.title,
                format_time(info.created_at),
                format_time(info.updated_at),
            )
            for info in session_page[:limit]
        ],
    )
    if session_page.cursor is not None:
        print_line(f"... and more; --limit shows up to 1000 ({limit} shown)", err=True)


def _page(memory: Memory, user: str | None, within: Period, limit: int) -> Listing[SessionInfo]:
    if within == Period(None, None):
        return memory.sessions(user=user, limit=limit)
    sessions = list(islice(sessions_in(memory, user, within), limit + 1))
    return Listing(sessions, cursor=None if len(sessions) <= limit else True)
