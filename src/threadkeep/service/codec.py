"""Converts history entries: `store_history` arguments to items, items to `get_history` entries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from threadkeep.types import Item, Json

Content = str | list[dict[str, Json]]

# Stored as assistant messages: windows would leave out a tool result without a call.
_TOOL_ROLES: Final = frozenset({"tool", "function"})
_ROLE_KEY: Final = "history_role"

ACTION_ROLE: Final = "tool_call"
"""The role of an action of `store_actions` that no answer has followed yet."""

CONTEXT_ROLE: Final = "history"
"""The role of the entry that tells what is remembered: `get_history(context=True)`."""

_ACTIONS: Final = (
    "<message_metadata>\n[Following actions were called to generate this response:]"
    "{actions}\n</message_metadata>"
)
_ACTION: Final = "\n - Agent: {}\n   Action: {}\n   Action Parameters: {}"
_ACTION_KEYS: Final = ("agent_name", "action_name", "action_params")


def is_empty(content: object) -> bool:
    """Returns True if there is nothing to store; 0 and False are content."""
    return content is None or (isinstance(content, (str, list, tuple, dict)) and not content)


def as_item(role: str, content: Json) -> Item:
    """The item of an entry: text as it is, any other JSON as one `json` block."""
    item_content = content if isinstance(content, str) else [{"type": "json", "value": content}]
    if role in _TOOL_ROLES:
        return Item(role="assistant", content=item_content, metadata={_ROLE_KEY: role})
    return Item(role=role, content=item_content)


def action_item(action: Mapping[str, Json]) -> Item:
    """The item of an action: a notice, which neither models nor extraction see."""
    return Item(type="notice", role=ACTION_ROLE, content=[{"type": "json", "value": dict(action)}])


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
    def is_action(self) -> bool:
        """Whether it is an action, which no limit counts."""
        return self.role == ACTION_ROLE

    @property
    def characters(self) -> int:
        """Length of the content: text, blank lines between merged texts, JSON as compact text."""
        break_length = 2 * (len(self.parts) - 1) if self._is_text() else 0
        return break_length + sum(map(_part_length, self.parts))

    def entry(self) -> dict[str, Json]:
        """The entry as `get_history` returns it."""
        return {"role": self.role, "content": self._content()}

    def _is_text(self) -> bool:
        return all(isinstance(item_content, str) for item_content in self.parts)

    def _content(self) -> Json:
        if self._is_text():
            return "\n\n".join(str(item_content) for item_content in self.parts)
        blocks = [block for item_content in self.parts for block in _blocks(item_content)]
        if len(self.parts) == len(blocks) == 1 and blocks[0]["type"] == "json":
            return blocks[0]["value"]
        return blocks


def turns(items: list[Item], *, merge: bool) -> list[HistoryTurn]:
    """The turns of a conversation; tool calls, their results and reasoning are left out.

    Actions stand in front of the answer that follows them; the next user message ends those that
    no answer has followed.
    """
    history_turns: list[HistoryTurn] = []
    for item_index, item in enumerate(items):
        role = _entry_role(item)
        if role is None or not item.content:
            continue
        turn = HistoryTurn(role, item_index, [item.content])
        if role == "assistant":
            _take_actions(history_turns, turn)
        elif role == "user":
            history_turns = [turn for turn in history_turns if not turn.is_action]
        if merge and history_turns and history_turns[-1].role == role and not turn.is_action:
            history_turns[-1].parts += turn.parts
        else:
            history_turns.append(turn)
    return history_turns


def _entry_role(item: Item) -> str | None:
    """The role of an entry; `None` = the item is none."""
    if item.type == "message":
        return str(item.metadata.get(_ROLE_KEY, item.role))
    return ACTION_ROLE if item.type == "notice" and item.role == ACTION_ROLE else None


def _take_actions(history_turns: list[HistoryTurn], answer: HistoryTurn) -> None:
    """Move the actions at the end into the answer that follows them."""
    actions: list[str] = []
    while history_turns and history_turns[-1].is_action:
        turn = history_turns.pop()
        answer.start = turn.start
        action = turn.entry()["content"]
        actions.insert(0, _ACTION.format(*(action.get(key) for key in _ACTION_KEYS)))
    if actions:
        answer.parts.insert(0, _ACTIONS.format(actions="".join(actions)))


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
