"""`threadkeep files`: what is known of the files of a session."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import format_time, print_json, print_table
from threadkeep.cli.store import require_existing
from threadkeep.errors import NotFound
from threadkeep.printable import shown


def files(
    memory: Memory,
    session: Annotated[str, typer.Argument(help="Its id.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the files of a session: name, place, dates. Their contents are not stored."""
    chat = require_existing(memory).session(session)
    if chat.info() is None:
        raise NotFound(f"there is no session {shown(session)}; `threadkeep sessions` lists them")
    files = chat.files.list()
    if json:
        print_json([asdict(file) for file in files])
        return
    print_table(
        ("name", "url", "stored", "expires"),
        [(f.name, f.url, format_time(f.created_at), format_time(f.expires_at)) for f in files],
    )
