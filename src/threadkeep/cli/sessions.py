"""`threadkeep sessions`: list sessions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import format_time, print_json, print_line, print_table
from threadkeep.cli.store import require_existing


def sessions(
    memory: Memory,
    user: Annotated[
        str | None, typer.Option(help="Only this user's, the one written last first.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List sessions: id, user, title, dates."""
    page = require_existing(memory).sessions(user=user, limit=limit)
    if json:
        print_json([asdict(info) for info in page[:limit]])
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
            for info in page[:limit]
        ],
    )
    if page.cursor is not None:
        print_line(f"... and more; --limit shows up to 1000 ({limit} shown)", err=True)
