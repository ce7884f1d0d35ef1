"""`threadkeep users`: everybody who has sessions, or of whom something is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.dates import Since, Until, period, sessions_in
from threadkeep.cli.output import format_time, print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.longterm.known_users import known_users
from threadkeep.printable import counted

_PAGE = 500


@dataclass(slots=True)
class _UserCount:
    sessions: int = 0
    last_written: datetime | None = None


def users(
    memory: Memory,
    since: Since = None,
    until: Until = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List users, with the number of their sessions and the date of the last write.

    It reads all sessions, so it takes longer in a large store. With dates, only who wrote in that
    time.
    """
    write_period = period(since, until)
    counts_by_user: dict[str, _UserCount] = {}
    ownerless_count = 0
    for session_info in sessions_in(require_existing(memory), None, write_period):
        if session_info.user is None:
            ownerless_count += 1
            continue
        count = counts_by_user.setdefault(session_info.user, _UserCount())
        count.sessions += 1
        dates = [date for date in (count.last_written, session_info.updated_at) if date]
        count.last_written = max(dates, default=None)
    if since is None and until is None:
        for user_id in _known_users(memory):
            counts_by_user.setdefault(user_id, _UserCount())
    rows = sorted(counts_by_user.items())
    if json:
        print_json([
            {"user": user_id, "sessions": count.sessions, "last_written": count.last_written}
            for user_id, count in rows
        ])  # fmt: skip
        return
    print_table(
        ("user", "sessions", "last written"),
        [(user_id, count.sessions, format_time(count.last_written)) for user_id, count in rows],
    )
    if ownerless_count:
        print_line(f"... and {counted(ownerless_count, 'session')} of nobody", err=True)


def _known_users(memory: Memory) -> Iterator[str]:
    cursor = None
    while True:
        users_of_page, cursor = known_users(memory._engine, cursor, _PAGE)
        yield from users_of_page
        if cursor is None:
            return
