"""`threadkeep show`: a conversation, readable in a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import as_json, line, styled, when
from threadkeep.cli.store import present
from threadkeep.errors import NotFound
from threadkeep.types import Item, SessionInfo
from threadkeep.window.tokens import as_text

_COLOURS: Final = {"user": "cyan", "assistant": "green", "tool": "magenta", "system": "yellow"}


def show(
    memory: Memory,
    session: Annotated[str, typer.Argument(help="Its id.")],
    last: Annotated[int, typer.Option(min=1, help="How many items, from the end.")] = 50,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Show the window of so many tokens instead.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show a session: its items as stored, or the window a model would see."""
    chat = present(memory).session(session)
    info = chat.info()
    if info is None:
        raise NotFound(f"there is no session {session!r}; `threadkeep sessions` lists them")
    items: list[Item] = (
        chat.items(last=last) if max_tokens is None else chat.window(max_tokens=max_tokens)
    )
    if json:
        as_json({"session": asdict(info), "items": [asdict(item) for item in items]})
        return
    _heading(info)
    for item in items:
        _item(item)


def _heading(info: SessionInfo) -> None:
    about = [info.title, info.user and f"user {info.user}", f"began {when(info.created_at)}"]
    styled(info.id, " ", " · ".join(filter(None, about)))


def _item(item: Item) -> None:
    who = (f"{item.name or item.role} ", _COLOURS.get(item.role, "bold"))
    styled(who, (f"#{item.seq} {when(item.created_at)} {item.id}", "dim"))
    for text in _texts(item):
        line(f"  {text}")


def _texts(item: Item) -> list[str]:
    texts = [item.text] if item.text else []
    if not isinstance(item.content, str):
        texts += [f"[{b['type']}]" for b in item.content if b["type"] != "text"]
    for call in item.tool_calls:
        texts.append(f"calls {call.get('name')}({as_text(call.get('args'))})")
    return texts
