"""The short way from a message to an item, for those that are nothing but a role and a text."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from threadkeep.types import Item, is_plain
from threadkeep.types.fast_init import maker

_item = maker(Item)
_but_raw = attrgetter(*(field.name for field in fields(Item) if field.name != "raw"))  # the last
_SPEAKERS: Final = frozenset({"user", "assistant", "system", "developer"})
_CALL_ID: Final = 40  # characters that Chat Completions takes


def simple(message: dict[str, Any]) -> Item | None:
    """What is said or what a tool answered, and no more: nearly all, and ten times as fast."""
    role, content = message.get("role"), message.get("content")
    if type(role) is not str or type(content) is not str:
        return None
    if role in _SPEAKERS and len(message) == 2:
        return _made("message", role, content, None)
    call = message.get("tool_call_id")
    if role == "tool" and len(message) == 3 and type(call) is str and 0 < len(call) <= _CALL_ID:
        return _made("tool_result", role, content, call)
    return None


def words(item: Item) -> Item | None:
    """A copy of an item that is nothing but words, and that nobody has stored; seq 0."""
    id, role = item.id, item.role
    if not is_plain(item) or type(id) is not str or type(role) is not str or not role:
        return None
    if item.status is not None or item.model is not None or item.usage is not None:
        return None
    if item.metadata != {} or item.created_at is not None:
        return None
    return _item(
        id, 0, "message", role, None, item.content, [], None, None, None, None, {}, None, None
    )


def with_raw(item: Item, raw: dict[str, Any]) -> Item:
    """The item with the writer's payload."""
    return _item(*_but_raw(item), raw)


def _made(type_: str, role: str, content: str, call: str | None) -> Item:
    return _item("", 0, type_, role, None, content, [], call, None, None, None, {}, None, None)
