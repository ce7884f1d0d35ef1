"""Marks on items: in which graph state a message stands, and what it said there."""

from __future__ import annotations

import dataclasses
import uuid
import zlib
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.messages import BaseMessage

from langchain_threadkeep.codec import FORMAT, is_summary, to_item
from threadkeep import Item, Session
from threadkeep.adapters.revise import has_redactor, stored_item

_MARK: Final = "state"
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")  # no redactor takes it for a number
_UNCOMPARED_FIELDS: Final = frozenset({"artifact"})  # any object, whose repr may be an address
_CONTENT_FIELDS: Final = ("role", "content", "tool_calls", "tool_call_id")
_CHECKPOINTER: Final = "__pregel_checkpointer"
_REPLAY: Final = "__pregel_replay_state"


def new_lineage() -> str:
    """Return a new name for a graph state and all states that follow from it."""
    return uuid.uuid4().hex[:12].translate(_LETTERS)


def marked(item: Item, lineage: str | None) -> Item:
    """Mark an item that was just made as one of a graph state.

    Args:
        item: not stored yet.
        lineage: of the state; `None` = no checkpointer keeps it.
    """
    raw_envelope = {**(item.raw or {"format": FORMAT, "data": {}}), _MARK: lineage or ""}
    object.__setattr__(item, "raw", raw_envelope)  # not shared yet
    return item


def state_item(message: BaseMessage) -> Item:
    """Convert a message of a state: a summary, which stands for others, is no notice.

    It is stored as a system message, so that whoever does not see what it stands for, such as a
    state that begins anew, or another framework, sees the summary.
    """
    item = to_item(message)
    if not is_summary(message):
        return item
    raw_envelope = item.raw or {"format": FORMAT, "data": {}}
    raw_data = {"type": message.type, **raw_envelope["data"]}
    return dataclasses.replace(
        item, type="message", role="system", raw={**raw_envelope, "data": raw_data}
    )


def lineage_of(item: Item) -> str | None:
    """Return the lineage of the graph state in which the item was stored, if any."""
    lineage_mark = (item.raw or {}).get(_MARK)
    return lineage_mark if isinstance(lineage_mark, str) and lineage_mark else None


def checksum(message: BaseMessage) -> int:
    """Return a number that changes with anything that a message says."""
    compared_pairs = [
        (field_name, value)
        for field_name, value in message.__dict__.items()
        if value and field_name not in _UNCOMPARED_FIELDS
    ]
    return zlib.crc32(repr(compared_pairs).encode("utf-8", "surrogatepass"))


def says_the_same(chat: Session, item: Item, message: BaseMessage) -> bool:
    """Return True if a stored item has the content of a message, as it is or as redacted."""
    neutral_item = state_item(message)
    return _has_content(item, neutral_item) or (
        has_redactor(chat) and _has_content(item, stored_item(chat, neutral_item))
    )


def _has_content(item: Item, other: Item) -> bool:
    return all(getattr(other, name) == getattr(item, name) for name in _CONTENT_FIELDS)


def is_checkpointed(config: Mapping[str, Any]) -> bool:
    """Return True if the state of the run outlives it, since a checkpointer keeps it."""
    return bool((config.get("configurable") or {}).get(_CHECKPOINTER))


def is_replay(config: Mapping[str, Any]) -> bool:
    """Return True if the run continues from an earlier checkpoint of its thread."""
    return (config.get("configurable") or {}).get(_REPLAY) is not None
