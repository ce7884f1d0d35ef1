"""`threadkeep sessions`: which there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import as_json, line, table, when
from threadkeep.cli.store import present


def sessions(
    memory: Memory,
    user: Annotated[
        str | None, typer.Option(help="Only this user's, the one written last first.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List sessions: id, user, title, dates."""
    found = present(memory).sessions(user=user, limit=limit)
    if json:
        as_json([asdict(info) for info in found[:limit]])
        return
    table(
        ("session", "user", "title", "began", "last written"),
        [
            (info.id, info.user, info.title, when(info.created_at), when(info.updated_at))
            for info in found[:limit]
        ],
    )
    if found.cursor is not None:
        line(f"... and more; --limit shows up to 1000 ({limit} shown)", err=True)
