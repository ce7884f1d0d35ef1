"""Items as a page shows them: bounded texts, tool calls and payloads as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from threadkeep.printable import counted
from threadkeep.types import Item
from threadkeep.window import tokens

SHORT: Final = 8_000
"""Characters of a text in a list."""

LONG: Final = 400_000
"""Characters of a text on a page of its own."""

_MAX_PARTS: Final = 50


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text.

    Attributes:
        text: so much of it as is shown.
        missing: how many characters follow.
    """

    text: str
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Something in an item that is no text: a tool call, a block, or a payload."""

    label: str
    body: Excerpt


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as a page shows it.

    Attributes:
        item: the item itself.
        author: who speaks, or which tool.
        text: its words.
        parts: what it has beside words.
        is_folded: whether it is shown only when it is opened, as results of tools are.
        learned: how many facts and instructions cite it.
        tokens: how many it is, by the default counter; `None` = not counted.
    """

    item: Item
    author: str
    text: Excerpt
    parts: tuple[Part, ...]
    is_folded: bool
    learned: int = 0
    tokens: int | None = None


def entry_of(
    item: Item, *, limit: int = SHORT, learned: int = 0, with_tokens: bool = False
) -> ItemView:
    """An item as a page shows it, each text of at most `limit` characters."""
    return ItemView(
        item,
        item.name or item.role,
        excerpt(item.text, limit),
        tuple(_parts(item, limit)),
        item.role == "tool" or item.type not in ("message", "notice"),
        learned,
        tokens.total([item]) if with_tokens else None,
    )


def excerpt(text: str, limit: int) -> Excerpt:
    """The beginning of a text."""
    return Excerpt(text[:limit], max(0, len(text) - limit))


def as_json(value: Any, limit: int) -> Excerpt:
    """A value as indented JSON, for people."""
    indented_json = (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    )
    return excerpt(indented_json, limit)


def _parts(item: Item, limit: int) -> Iterable[Part]:
    for tool_call in item.tool_calls[:_MAX_PARTS]:
        yield Part(f"calls {tool_call.get('name')}", as_json(tool_call.get("args"), limit))
    blocks: list[Mapping[str, Any]] = (
        []
        if isinstance(item.content, str)
        else [block for block in item.content if block["type"] != "text"]
    )
    for block in blocks[:_MAX_PARTS]:
        yield Part(str(block["type"]), as_json(block, limit))
    left_out_count = max(0, len(item.tool_calls) - _MAX_PARTS) + max(0, len(blocks) - _MAX_PARTS)
    if left_out_count:
        yield Part(counted(left_out_count, "more part"), Excerpt("not shown here"))
