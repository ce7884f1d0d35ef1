"""The entries of a Responses input beside each other: unique ids, calls last, and no orphans."""

from __future__ import annotations

import itertools
from typing import Any, Final

from threadkeep.messages import schemas

Entry = dict[str, Any]

_ANSWERS: Final = {
    "mcp_approval_response": ("mcp_approval_request", "approval_request_id", "id"),
    "program_output": ("program", "call_id", "call_id"),
}  # items that answer another: its type, the key of the answer, and the key of the other


def calls_last(entries: list[Entry]) -> list[Entry]:
    """Messages before calls, since pending calls are allowed only at the very end."""
    message_entries: list[Entry] = []
    call_entries: list[Entry] = []
    pending_entries: list[Entry] = []
    for entry in entries:
        pending_entries.append(entry)
        if entry["type"] != "reasoning":
            (call_entries if "call_id" in entry else message_entries).extend(pending_entries)
            pending_entries = []
    return message_entries + call_entries + pending_entries


def with_unique_id(entry: Entry, used_ids: set[str]) -> Entry | None:
    """The entry with an id that is unique in the input; `None` for a mere repetition."""
    entry_id = entry.get("id")
    if entry_id is None or entry["type"] == "local_shell_call_output":
        return entry  # its id is that of its call
    entry_without_id = {key: value for key, value in entry.items() if key != "id"}
    if not isinstance(entry_id, str):
        return entry_without_id
    if entry_id not in used_ids:
        used_ids.add(entry_id)
        return entry
    if schemas.is_responses_item(entry_without_id):
        return entry_without_id
    if entry["type"] in {"reasoning", "item_reference"}:
        return None
    suffix = next(number for number in itertools.count(2) if f"{entry_id}_{number}" not in used_ids)
    used_ids.add(f"{entry_id}_{suffix}")
    return {**entry_without_id, "id": f"{entry_id}_{suffix}"}


def without_orphan_answers(entries: list[Entry]) -> list[Entry]:
    """Drop answers to what is not there; a reference may stand for anything."""
    earlier_keys: set[tuple[str, Any]] = set()
    remaining_entries: list[Entry] = []
    for entry in entries:
        entry_type = entry["type"]
        if entry_type == "item_reference":
            return entries
        if entry_type in _ANSWERS:
            answered_type, id_field, _ = _ANSWERS[entry_type]
            if (answered_type, entry.get(id_field)) not in earlier_keys:
                continue
        earlier_keys.update(
            (entry_type, entry.get(id_field))
            for answered_type, _, id_field in _ANSWERS.values()
            if entry_type == answered_type
        )
        remaining_entries.append(entry)
    return remaining_entries


def without_orphan_reasoning(entries: list[Entry]) -> list[Entry]:
    """Drop reasoning that is not followed by the output it led to: the API rejects it."""
    remaining_entries: list[Entry] = []
    for entry in reversed(entries):
        if entry.get("type") != "reasoning" or (
            remaining_entries and _is_model_output(remaining_entries[-1])
        ):
            remaining_entries.append(entry)
    return remaining_entries[::-1]


def _is_model_output(entry: Entry) -> bool:
    """Return True if a model wrote the entry."""
    entry_type = str(entry.get("type", "message"))
    if entry_type == "message":
        return bool(entry.get("role") == "assistant")
    return not entry_type.endswith("_call_output") and entry_type != "mcp_approval_response"
