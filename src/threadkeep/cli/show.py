"""`threadkeep show`: print a conversation in a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import format_time, print_json, print_line, print_styled
from threadkeep.cli.readable_export import item_lines
from threadkeep.cli.store import require_existing
from threadkeep.errors import NotFound
from threadkeep.printable import shown
from threadkeep.types import Item, SessionInfo

_COLOURS: Final = {"user": "cyan", "assistant": "green", "tool": "magenta", "system": "yellow"}


def show(
    memory: Memory,
    session: Annotated[str, typer.Argument(help="Its id.")],
    last: Annotated[int, typer.Option(min=1, help="How many items, from the end.")] = 50,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Show the window of this many tokens instead.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show a session: its items as stored, or the window a model would see."""
    chat = require_existing(memory).session(session)
    session_info = chat.info()
    if session_info is None:
        raise NotFound(f"there is no session {shown(session)}; `threadkeep sessions` lists them")
    items: list[Item] = (
        chat.items(last=last) if max_tokens is None else chat.window(max_tokens=max_tokens)
    )
    if json:
        print_json({"session": asdict(session_info), "items": [asdict(item) for item in items]})
        return
    _print_heading(session_info)
    for item in items:
        _print_item(item)


def _print_heading(info: SessionInfo) -> None:
    details = [
        info.title,
        info.user and f"user {info.user}",
        f"began {format_time(info.created_at)}",
    ]
    print_styled(info.id, " ", " · ".join(filter(None, details)))


def _print_item(item: Item) -> None:
    author_and_style = (f"{item.name or item.role} ", _COLOURS.get(item.role, "bold"))
    print_styled(author_and_style, (f"#{item.seq} {format_time(item.created_at)} {item.id}", "dim"))
    for line in item_lines(item):
        print_line(f"  {line}")
