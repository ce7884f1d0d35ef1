"""`threadkeep forget`: everything of a user, for good."""

from __future__ import annotations

from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import present


def forget(
    memory: Memory,
    user: Annotated[str, typer.Argument(help="The application's name for the user.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    purge: Annotated[
        bool, typer.Option(help="Also take deleted text out of the store's own files.")
    ] = True,
) -> None:
    """Remove everything of a user: sessions with all in them, and all that was learned.

    There is no way back; `threadkeep export --user` beforehand keeps a copy. Cut short, it can be
    repeated.
    """
    person = present(memory).user(user)
    if not yes:
        output.confirm(f"Remove everything of {user!r} for good?")
    gone = person.forget(purge=purge)
    output.line(f"{int(gone)} records removed, {gone.sessions} sessions among them")
    for place in gone.beyond:
        output.line(f"not reached: {place}", err=True)
