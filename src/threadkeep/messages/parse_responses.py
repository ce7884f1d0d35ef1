"""Parse items of the Responses API, messages among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import openai_chat, openai_responses
from threadkeep.messages.arguments import parse_arguments
from threadkeep.messages.build_item import PLACEHOLDERS, build_item
from threadkeep.messages.checks import ROLE_ALIASES
from threadkeep.messages.content import Block, parse_content, part_types, plain_text
from threadkeep.messages.responses_entries import Entry
from threadkeep.types import Item

_CALL_TYPES: Final = frozenset({"function_call", "custom_tool_call"})
_PART_TYPES: Final = frozenset({"input_text", "input_image", "input_file", "output_text"})
_MESSAGE_KEYS: Final = ("role", "content", "id", "status", "phase")
_UNSENT_FIELDS: Final = frozenset(
    {"created_at", "hidden", "metadata", "model", "usage", "raw", "seq"}
)


def parse_entry(entry: dict[str, Any], location: str) -> Item:
    if entry["type"] == "item_reference" and entry.get("id", "") in PLACEHOLDERS:
        raise InputError(f"{location}.id is missing: a reference names the item that it stands for")
    neutral_fields = {
        "type": entry["type"],
        "name": entry.get("name"),
        **_neutral_fields(entry, location),
    }
    raw_payload = {key: value for key, value in entry.items() if key not in _UNSENT_FIELDS}
    return build_item(
        entry, neutral_fields, location, openai_responses.FORMAT, raw_payload, _single_entry
    )


def parse_message(message: dict[str, Any], location: str) -> Item:
    neutral_fields = {
        "role": ROLE_ALIASES.get(message["role"], message["role"]),
        "content": openai_chat.message_content(message, location),
    }
    return build_item(
        message,
        neutral_fields,
        location,
        openai_responses.FORMAT,
        _raw_message(message),
        _single_entry,
    )


def _single_entry(item: Item) -> dict[str, Any] | None:
    return next(iter(openai_responses.to_entries(item)), None)


def is_message(message: Mapping[str, Any]) -> bool:
    """Return True if this is unambiguously a message of this API."""
    if message.get("type", "message") != "message" or "role" not in message:
        return False
    types_of_parts = part_types(message.get("content"))
    if types_of_parts & _PART_TYPES:
        return True
    return "type" in message and (
        "refusal" in types_of_parts or str(message.get("id")).startswith("msg_")
    )


def _raw_message(message: Mapping[str, Any]) -> Entry:
    """The fields of such a message that are stored verbatim."""
    return {"type": "message", **{key: message[key] for key in _MESSAGE_KEYS if key in message}}


def _neutral_fields(entry: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The neutral fields of an item of the Responses API other than a message."""
    entry_type = str(entry["type"])
    if entry_type.endswith("_call_output") or (
        entry_type == "tool_search_output" and "call_id" in entry
    ):
        result_content = _result_content(entry.get("output", entry.get("tools")), location)
        return {"role": "tool", "tool_call_id": _result_call_id(entry), "content": result_content}
    if entry_type in _CALL_TYPES or (entry_type.endswith("_call") and "call_id" in entry):
        raw_arguments: Any = next(
            (entry[key] for key in ("arguments", "input", "action", "operation") if key in entry),
            {},
        )
        tool_call = {
            "id": entry.get("call_id", ""),
            "name": entry.get("name") or entry_type.removesuffix("_call"),
            "args": parse_arguments(raw_arguments),
        }
        return {"role": "assistant", "content": "", "tool_calls": [tool_call]}
    if entry_type == "reasoning":
        return {"role": "assistant", "content": _reasoning(entry, location)}
    return {"role": "assistant", "name": entry.get("name"), "content": _describe_entry(entry)}


def _result_call_id(entry: Mapping[str, Any]) -> str:
    id_field = "id" if entry["type"] == "local_shell_call_output" else "call_id"
    return str(entry.get(id_field) or "")


def _reasoning(entry: Mapping[str, Any], location: str) -> list[Block]:
    parts = [part for key in ("summary", "content") for part in _part_list(entry, key, location)]
    blocks: list[Block] = [
        {"type": "reasoning", "reasoning": plain_text([block])}
        for block in parse_content(parts, location)
        if not isinstance(block, str)
    ]
    if entry.get("encrypted_content"):
        extras = {"encrypted_content": entry["encrypted_content"]}
        blocks.append({"type": "reasoning", "reasoning": "", "extras": extras})
    return blocks


def _part_list(entry: Mapping[str, Any], key: str, location: str) -> Sequence[Any]:
    parts = entry.get(key) or ()
    if isinstance(parts, str):
        return [parts]
    if isinstance(parts, (list, tuple)):
        return parts
    raise InputError(f"{location}.{key} must be a list of parts, got {type(parts).__name__}")


def _describe_entry(entry: Mapping[str, Any]) -> str:
    """A text for a provider-specific item, for search and for other providers."""
    summary_words = [
        f"[{entry['type']}",
        *(str(entry[key]) for key in ("name", "status") if entry.get(key)),
    ]
    output = entry.get("output") or entry.get("error")
    return " ".join(summary_words) + (f"] {output}" if isinstance(output, str) else "]")


def _result_content(output: Any, location: str) -> str | list[Block]:
    """Parse a tool's output: a text, content parts, or any other value as JSON."""
    has_parts = isinstance(output, list) and all(
        isinstance(part, str) or (isinstance(part, Mapping) and "type" in part) for part in output
    )
    return (
        parse_content(output, location)
        if isinstance(output, str) or has_parts
        else _as_json(output)
    )


def _as_json(output: Any) -> list[Block]:
    return [{"type": "json", "value": output}]
