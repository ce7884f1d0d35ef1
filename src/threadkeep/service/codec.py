"""Entries of a history: what `store_history` takes, as items, and what `get_history` gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from threadkeep.types import Item, Json

Content = str | list[dict[str, Json]]

# Without a call to answer, a tool's entry is no tool result, which windows would leave out.
_RESULTS: Final = frozenset({"tool", "function"})
_ROLE: Final = "history_role"


def is_empty(content: object) -> bool:
    """Whether there is nothing to store; 0 and False are something."""
    return content is None or (isinstance(content, (str, list, tuple, dict)) and not content)


def as_item(role: str, content: Json) -> Item:
    """The item of an entry: text as it is, any other JSON as one `json` block."""
    said = content if isinstance(content, str) else [{"type": "json", "value": content}]
    if role in _RESULTS:
        return Item(role="assistant", content=said, metadata={_ROLE: role})
    return Item(role=role, content=said)


@dataclass(slots=True)
class Turn:
    """One entry as it is read: a message, or neighbours of one role merged.

    Attributes:
        role: whose it is.
        start: the place of its first item among those it was made of.
        parts: the contents of its items.
    """

    role: str
    start: int
    parts: list[Content] = field(default_factory=list)

    @property
    def characters(self) -> int:
        """How long the content is: text, blank lines between merged texts, JSON as compact text."""
        breaks = 2 * (len(self.parts) - 1) if self._is_text() else 0
        return breaks + sum(map(_size, self.parts))

    def entry(self) -> dict[str, Json]:
        """What `get_history` gives."""
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


def turns(items: list[Item], *, merge: bool) -> list[Turn]:
    """The turns of a conversation; calls, their results and reasoning are none."""
    found: list[Turn] = []
    for place, item in enumerate(items):
        if item.type != "message" or not item.content:
            continue
        role = item.metadata.get(_ROLE, item.role)
        if not (merge and found and found[-1].role == role):
            found.append(Turn(role, place))
        found[-1].parts.append(item.content)
    return found


def _blocks(part: Content) -> list[dict[str, Any]]:
    return [{"type": "text", "text": part}] if isinstance(part, str) else part


def _size(part: Content) -> int:
    return len(part) if isinstance(part, str) else sum(map(_block_size, part))


def _block_size(block: dict[str, Any]) -> int:
    if block["type"] == "text":
        return len(block["text"])
    if block["type"] == "json":
        return len(json.dumps(block.get("value"), ensure_ascii=False, separators=(",", ":")))
    return 0
