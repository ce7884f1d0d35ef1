"""Anthropic Messages: convert messages to items and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.messages import schemas
from threadkeep.messages.anthropic_blocks import FORMAT, Message, text_block, to_blocks, tool_result
from threadkeep.messages.anthropic_pairs import with_whole_pairs
from threadkeep.messages.arguments import parse_arguments
from threadkeep.messages.content import (
    parse_content,
    part_types,
    plain_text,
)
from threadkeep.messages.spoken import is_unspoken
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    contributions,
    raw_payload,
    role_of,
    sanitize,
    sanitize_messages,
)
from threadkeep.types import Item, Json

_BLOCK_TYPES: Final = frozenset(
    {"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use",
     "mcp_tool_use", "container_upload", "compaction", "search_result"}
)  # fmt: skip
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_NOTHING: Final = {"content": ()}


class AnthropicMessages(list[Any]):
    """The `messages` of a Messages request, dicts, with the `system` text as an attribute."""

    def __init__(self, messages: Iterable[Message], system: str) -> None:
        super().__init__(messages)
        self.system = system


def to_anthropic(items: Sequence[Item]) -> AnthropicMessages:
    """The `messages` of a Messages request, and its `system` text as an attribute.

    Thinking without a signature is left out, as are parts of other providers in the assistant's
    messages, and hosted tools' calls and results without their counterpart. Media of users that
    the API does not accept are described.
    """
    contribution_list = contributions(items, id_pattern=_CALL_ID)
    system_texts = [
        plain_text(head_item.content)
        for contribution in contribution_list
        for head_item in contribution.heads
        if _is_system(head_item)
    ]
    merged_messages: list[Message] = []
    for message in with_whole_pairs(
        [message for contribution in contribution_list for message in _messages(contribution)]
    ):
        _append(merged_messages, message)
    if items and (not merged_messages or merged_messages[0]["role"] != "user"):
        merged_messages.insert(0, {"role": "user", "content": OMITTED})
    messages = sanitize_messages(_trim_ends(merged_messages))
    return AnthropicMessages(
        messages, sanitize("\n\n".join(text for text in system_texts if text.strip()))
    )


def is_message(message: Mapping[str, Any]) -> bool:
    """Return True if this is unambiguously a message of this API."""
    content_parts = message.get("content")
    if not isinstance(content_parts, list) or "role" not in message:
        return False
    if message.get("type") == "message" and "stop_reason" in message:
        return True
    types_of_parts = part_types(content_parts)
    if types_of_parts & _BLOCK_TYPES or any(
        part_type.endswith("tool_result") for part_type in types_of_parts
    ):
        return True
    return any(
        isinstance(part, Mapping) and isinstance(part.get("source"), Mapping)
        for part in content_parts
    )


def split_message(
    message: Mapping[str, Any], location: str
) -> list[tuple[dict[str, Any], Message]]:
    """Split a message into its tool results and the rest: pairs of neutral fields and payload."""
    message_pairs: list[tuple[dict[str, Any], Message]] = []
    other_parts: list[Any] = []
    for part_number, part in enumerate(message["content"]):
        part_type = part.get("type") if isinstance(part, Mapping) else None
        if part_type == "tool_result":
            part_location = f"{location}.content[{part_number}]"
            message_pairs.append(
                (_result_fields(part, part_location), {"role": "user", "content": [part]})
            )
        else:
            other_parts.append(part)
    if other_parts or not message_pairs:
        message_pairs.append(
            (
                _neutral_fields(other_parts, message["role"], location),
                {**message, "content": other_parts},
            )
        )
    return message_pairs


def _neutral_fields(parts: list[Any], role: str, location: str) -> dict[str, Any]:
    call_parts = [
        part for part in parts if isinstance(part, Mapping) and part.get("type") == "tool_use"
    ]
    parsed_content = parse_content([part for part in parts if part not in call_parts], location)
    return {
        "role": role,
        "content": parsed_content or "",
        "tool_calls": [_neutral_call(part) for part in call_parts],
    }


def _neutral_call(part: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "id": part.get("id") or "",
        "name": part.get("name"),
        "args": parse_arguments(part.get("input")),
    }


def to_message(item: Item) -> Message | None:
    """One item as a message on its own; `None` if the API cannot represent it."""
    if item.raw is not None and (raw_message := _raw_message(item)):
        return raw_message
    if item.role in {"tool", "function"}:
        return {"role": "user", "content": [tool_result(item)]}
    role = role_of(item)
    role = "user" if role in _SYSTEM_ROLES else role
    if isinstance(item.content, str) and is_unspoken(item):
        return None
    if isinstance(item.content, str) and not item.tool_calls:
        return {"role": role, "content": item.content}
    return {"role": role, "content": to_blocks(item, role)}


def _raw_message(item: Item) -> Message | None:
    raw_fields = raw_payload(item, FORMAT)
    if not isinstance(raw_fields, Mapping):
        return None
    raw_message = {key: raw_fields[key] for key in ("role", "content") if key in raw_fields}
    return raw_message if schemas.is_anthropic_message(raw_message) else None


def _messages(contribution: Contribution) -> list[Message]:
    head_messages = [
        message
        for head_item in contribution.heads
        if not _is_system(head_item) and (message := to_message(head_item))
    ]
    result_blocks = [
        block
        for result in contribution.results
        for block in (to_message(result) or _NOTHING)["content"]
    ]
    return [
        *head_messages,
        *([{"role": "user", "content": result_blocks}] if result_blocks else []),
    ]


def _append(merged: list[Message], message: Message) -> None:
    message_content = message["content"]
    if not isinstance(message_content, str):
        message_content = [part for part in message_content if _is_sendable(part)]
    if not message_content or (isinstance(message_content, str) and not message_content.strip()):
        return
    if merged and merged[-1]["role"] == message["role"]:
        merged[-1]["content"] = [*_block_list(merged[-1]["content"]), *_block_list(message_content)]
    else:
        merged.append({"role": message["role"], "content": message_content})


def _block_list(content: str | list[Message]) -> list[Message]:
    return [text_block(content)] if isinstance(content, str) else content


def _is_sendable(part: Message) -> bool:
    return part.get("type") != "text" or bool(part["text"].strip())


def _trim_ends(merged_messages: list[Message]) -> list[Message]:
    """Trim message ends as the API requires: no trailing thinking, no trailing whitespace."""
    trimmed_messages = [
        shortened_message
        for message in merged_messages
        if (shortened_message := _without_trailing_thinking(message))["content"]
    ]
    if trimmed_messages and trimmed_messages[-1]["role"] == "assistant":
        trimmed_messages[-1] = {
            "role": "assistant",
            "content": _rstrip(trimmed_messages[-1]["content"]),
        }
    return trimmed_messages


def _without_trailing_thinking(message: Message) -> Message:
    content = message["content"]
    while isinstance(content, list) and content and content[-1].get("type") == "thinking":
        content = content[:-1]
    return {**message, "content": content}


def _rstrip(content: str | list[Message]) -> str | list[Message]:
    if isinstance(content, str):
        return content.rstrip()
    if content[-1].get("type") != "text":
        return content
    return [*content[:-1], {**content[-1], "text": content[-1]["text"].rstrip()}]


def _result_fields(part: Mapping[str, Any], location: str) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "role": "tool",
        "tool_call_id": part.get("tool_use_id"),
        "content": parse_content(part.get("content"), location),
        "tool_calls": [],
        "status": "error" if part.get("is_error") else None,
    }


def _is_system(item: Item) -> bool:
    return role_of(item) in _SYSTEM_ROLES and item.role not in {"tool", "function"}
