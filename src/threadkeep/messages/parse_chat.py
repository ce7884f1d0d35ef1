"""Parse messages of Chat Completions, and dicts with the fields of an `Item`."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import openai_chat, schemas
from threadkeep.messages.build_item import build_item
from threadkeep.messages.checks import RESULT_ROLES, ROLE_ALIASES
from threadkeep.messages.continuation import without_call_fields
from threadkeep.messages.field_checks import list_keys, neutral_calls
from threadkeep.types import Item

_ENVELOPE_FIELDS: Final = frozenset(
    {"id", "seq", "status", "model", "usage", "metadata", "created_at", "hidden", "raw"}
)
_SEPARATE_FIELDS: Final = _ENVELOPE_FIELDS | {"text"}  # stored in other fields of an item


def parse_chat(message: dict[str, Any], location: str) -> Item:
    if "role" not in message and message.get("type") not in {"tool_call", "tool_result"}:
        raise InputError(f"{location}.role is missing; keys given: {list_keys(message)}")
    if not message.keys() & {"content", "tool_calls", "function_call", "refusal", "audio", "text"}:
        raise InputError(f"{location}.content is missing; keys given: {list_keys(message)}")
    role = ROLE_ALIASES.get(message.get("role", ""), message.get("role", ""))
    is_result = role in RESULT_ROLES or message.get("type") == "tool_result"
    neutral_fields = {
        "type": message.get("type", "tool_result" if is_result else "message"),
        "role": "tool" if is_result else role or "assistant",
        "name": message.get("name"),
        "content": openai_chat.message_content(
            {"content": message.get("text"), **message}, location
        ),
        "tool_calls": neutral_calls(message, location),
        "tool_call_id": message.get("tool_call_id"),
    }
    return build_item(
        message,
        neutral_fields,
        location,
        openai_chat.FORMAT,
        _chat_payload(message),
        openai_chat.to_message,
    )


def _chat_payload(data: dict[str, Any]) -> dict[str, Any] | None:
    """The raw payload of a Chat Completions message, or `None` for another format."""
    if data.get("type", "message") != "message" or data["role"] in ROLE_ALIASES:
        return None
    raw_payload = {
        key: value
        for key, value in data.items()
        if key not in _SEPARATE_FIELDS and (value != [] or key == "content")
    }
    if raw_payload.get("reasoning_content"):
        del raw_payload["reasoning_content"]  # stored in the content
    raw_payload.setdefault("content", None)
    sent_fields = {
        key: value for key, value in raw_payload.items() if key in openai_chat.MESSAGE_KEYS
    }
    message_fields = without_call_fields(sent_fields)
    return raw_payload if schemas.is_chat_message(_with_valid_ids(message_fields)) else None


def _with_valid_ids(message: dict[str, Any]) -> dict[str, Any]:
    """The message with ids for its calls that every server takes: prompts rename those it refuses.

    Some servers give no ids, and sign the calls.
    """
    raw_calls = message.get("tool_calls")
    if not isinstance(raw_calls, list):
        return message
    return {**message, "tool_calls": [{**call, "id": "call"} for call in raw_calls]}


def reasoning_field(item: Item) -> dict[str, Any]:
    """The `reasoning_content` of a chat message, which its raw payload does not include."""
    first_block = item.content[0] if item.content and not isinstance(item.content, str) else {}
    if item.raw is None or item.raw.get("format") != openai_chat.FORMAT:
        return {}
    return (
        {"reasoning_content": first_block["reasoning"]}
        if first_block.get("type") == "reasoning"
        else {}
    )
