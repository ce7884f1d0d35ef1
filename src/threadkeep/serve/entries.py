"""Items as the entries of listings of the OpenAI API: each with an id, a status and its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from threadkeep.messages.openai_responses import to_entries
from threadkeep.serve.entry_ids import entry_id
from threadkeep.types import Item

Entry = dict[str, Any]

_STATUSES: Final = frozenset({"in_progress", "completed", "incomplete"})
_STATUS_TYPES: Final = frozenset({"message", "function_call", "function_call_output"})


def item_to_entries(item: Item) -> list[Entry]:
    """The entries of an item in a listing of the OpenAI API.

    Most items are one entry. A message with tool calls is several, whose ids have a number behind
    them. An id has the prefix that OpenAI asks for in prompts. `session.add(entry)` reads an entry.
    """
    entries = to_entries(item) or [_fallback(item)]
    return [_complete(entry, item, entry_index) for entry_index, entry in enumerate(entries)]


def items_to_entries(items: Sequence[Item]) -> list[Entry]:
    """The entries of several items, in order."""
    return [entry for item in items for entry in item_to_entries(item)]


def _fallback(item: Item) -> Entry:
    """An entry for what only another provider can read."""
    if item.type == "reasoning":
        return {"type": "reasoning", "summary": _summary(item)}
    return {"type": "message", "role": "assistant", "content": item.text}


def _summary(item: Item) -> list[Entry]:
    if isinstance(item.content, str):
        texts = [item.content]
    else:
        texts = [str(b.get("reasoning", "")) for b in item.content if b["type"] == "reasoning"]
    return [{"type": "summary_text", "text": text} for text in texts if text]


def _complete(entry: Entry, item: Item, entry_index: int) -> Entry:
    entry_type = str(entry.get("type", "message"))
    full_entry = {**entry, "type": entry_type, "id": entry_id(item.id, entry_type, entry_index)}
    if entry_type in _STATUS_TYPES and full_entry.get("status") not in _STATUSES:
        full_entry["status"] = item.status if item.status in _STATUSES else "completed"
    if entry_type == "message":
        full_entry["content"] = _parts(full_entry.get("content"), str(full_entry.get("role")))
    if entry_type == "reasoning":
        full_entry.setdefault("summary", [])
    return full_entry


def _parts(raw_content: object, role: str) -> list[Entry]:
    """The content of a message as parts; the API's listings have no plain texts."""
    if isinstance(raw_content, str):
        text_type = "output_text" if role == "assistant" else "input_text"
        parts: list[Entry] = [{"type": text_type, "text": raw_content}]
    else:
        parts = [dict(part) for part in raw_content] if isinstance(raw_content, list) else []
    for part in parts:
        if part.get("type") == "output_text":
            part.setdefault("annotations", [])
    return parts
