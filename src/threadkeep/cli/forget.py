"""`threadkeep forget`: delete everything of a user permanently."""

from __future__ import annotations

from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing
from threadkeep.printable import counted, shown


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
    user_memory = require_existing(memory).user(user)
    if not yes:
        output.confirm(f"Remove everything of {shown(user)} for good?")
    report = user_memory.forget(purge=purge)
    record_text, session_text = counted(report, "record"), counted(report.sessions, "session")
    output.print_line(f"{record_text} removed, {session_text} among them")
    for location in report.beyond:
        output.print_line(f"not reached: {location}", err=True)
