"""Converts history entries: `store_history` arguments to items, items to `get_history` entries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from threadkeep.types import Item, Json

Content = str | list[dict[str, Json]]

# Stored as assistant messages: windows would leave out a tool result without a call.
_TOOL_ROLES: Final = frozenset({"tool", "function"})
_ROLE_KEY: Final = "history_role"


def is_empty(content: object) -> bool:
    """Returns True if there is nothing to store; 0 and False are content."""
    return content is None or (isinstance(content, (str, list, tuple, dict)) and not content)


def as_item(role: str, content: Json) -> Item:
    """The item of an entry: text as it is, any other JSON as one `json` block."""
    stored = content if isinstance(content, str) else [{"type": "json", "value": content}]
    if role in _TOOL_ROLES:
        return Item(role="assistant", content=stored, metadata={_ROLE_KEY: role})
    return Item(role=role, content=stored)


@dataclass(slots=True)
class HistoryTurn:
    """One entry as it is read: a message, or neighbours of one role merged.

    Attributes:
        role: the role of its author.
        start: the index of its first item in the list it was made from.
        parts: the contents of its items.
    """

    role: str
    start: int
    parts: list[Content] = field(default_factory=list)

    @property
    def characters(self) -> int:
        """Length of the content: text, blank lines between merged texts, JSON as compact text."""
        breaks = 2 * (len(self.parts) - 1) if self._is_text() else 0
        return breaks + sum(map(_part_length, self.parts))

    def entry(self) -> dict[str, Json]:
        """The entry as `get_history` returns it."""
        return {"role": self.role, "content": self._content()}

    def _is_text(self) -> bool:
        return all(isinstance(part, str) for part in self.parts)

    def _content(self) -> Json:
        if self._is_text():
            return "\n\n".join(str(part) for part in self.parts)
        blocks = [block for part in self.parts for block in _blocks(part)]
        if len(self.parts) == len(blocks) == 1 and blocks[0]["type"] == "json":
            return blocks[0]["value"]
        return blocks


def turns(items: list[Item], *, merge: bool) -> list[HistoryTurn]:
    """The turns of a conversation; tool calls, their results and reasoning are left out."""
    grouped: list[HistoryTurn] = []
    for index, item in enumerate(items):
        if item.type != "message" or not item.content:
            continue
        role = item.metadata.get(_ROLE_KEY, item.role)
        if not (merge and grouped and grouped[-1].role == role):
            grouped.append(HistoryTurn(role, index))
        grouped[-1].parts.append(item.content)
    return grouped


def _blocks(part: Content) -> list[dict[str, Any]]:
    return [{"type": "text", "text": part}] if isinstance(part, str) else part


def _part_length(part: Content) -> int:
    return len(part) if isinstance(part, str) else sum(map(_block_length, part))


def _block_length(block: dict[str, Any]) -> int:
    if block["type"] == "text":
        return len(block["text"])
    if block["type"] == "json":
        return len(json.dumps(block.get("value"), ensure_ascii=False, separators=(",", ":")))
    return 0
