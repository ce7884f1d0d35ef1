"""OpenAI Chat Completions: convert messages to items and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.messages import schemas
from threadkeep.messages.arguments import format_arguments, parse_arguments
from threadkeep.messages.content import (
    Block,
    data_url,
    describe,
    is_openai_file,
    parse_content,
    spoken_text,
)
from threadkeep.messages.continuation import without_call_fields
from threadkeep.messages.spoken import is_unspoken
from threadkeep.messages.tool_pairs import raw_payload, role_of, tool_name
from threadkeep.types import Item, Json

FORMAT: Final = "openai-chat/1"
Message = dict[str, Any]

MESSAGE_KEYS: Final = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call",
     "annotations"}
)  # fmt: skip
_NAME: Final = re.compile(r"[^\s<|\\/>]{1,64}")
RESULT_ROLES: Final = frozenset({"tool", "function"})
_AUDIO_FORMATS: Final = {"audio/wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}


def to_message(item: Item, *, strict: bool = False) -> Message | None:
    """One item as a message on its own, or `None` if the API cannot represent it.

    With `strict`, parts of types that OpenAI itself does not know are described.
    """
    original_message = raw_message(item) if item.raw is not None else None
    if original_message and (not strict or schemas.has_only_openai_parts(original_message)):
        return original_message
    if item.role in RESULT_ROLES:
        return _tool_message(item)
    if (item.type == "reasoning" and not item.tool_calls) or is_unspoken(item):
        return None
    role = role_of(item)
    message: Message = {"role": role, "content": _to_content(item.content, role)}
    if item.name and item.type == "message" and _NAME.fullmatch(item.name):
        message["name"] = item.name
    if item.tool_calls:
        message["content"] = message["content"] or None
        message["tool_calls"] = [_to_tool_call(tool_call) for tool_call in item.tool_calls]
    return message


def neutral_calls(message: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The tool calls of a message in neutral form, with the legacy `function_call`."""
    parsed_calls = [neutral_call(tool_call) for tool_call in message.get("tool_calls") or []]
    if isinstance(legacy_call := message.get("function_call"), Mapping):
        parsed_calls.append(
            {
                "id": "",
                "name": legacy_call.get("name"),
                "args": parse_arguments(legacy_call.get("arguments")),
            }
        )
    return parsed_calls


def neutral_call(call: Mapping[str, Any]) -> dict[str, Json]:
    """`{"id", "name", "args"}` from OpenAI's shape, a custom tool's, or the neutral one."""
    call_fields = call.get("function") or call.get("custom") or call
    raw_arguments: Any = next(
        (call_fields[key] for key in ("arguments", "input", "args") if key in call_fields), {}
    )
    return {
        "id": call.get("id") or "",
        "name": call_fields.get("name"),
        "args": parse_arguments(raw_arguments),
    }


def message_content(message: Mapping[str, Any], location: str) -> str | list[Block]:
    """The content with its sibling fields: refusal, reasoning and audio transcript."""
    parsed_content = parse_content(message.get("content"), location)
    sibling_blocks: list[Block] = []
    if isinstance(reasoning_text := message.get("reasoning_content"), str) and reasoning_text:
        extras = {"field": "reasoning_content"}
        sibling_blocks.append({"type": "reasoning", "reasoning": reasoning_text, "extras": extras})
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        sibling_blocks.append({"type": "text", "text": refusal, "extras": {"refusal": True}})
    audio = message.get("audio")
    if isinstance(audio, Mapping) and isinstance(audio.get("transcript"), str):
        sibling_blocks.append({"type": "text", "text": audio["transcript"]})
    if not sibling_blocks:
        return parsed_content
    content_blocks = (
        [{"type": "text", "text": parsed_content}]
        if isinstance(parsed_content, str)
        else parsed_content
    )
    return [*sibling_blocks, *(block for block in content_blocks if block.get("text") != "")]


def _tool_message(item: Item) -> Message:
    message: Message = {
        "role": "tool",
        "tool_call_id": item.tool_call_id or "",
        "content": _to_content(item.content, "tool"),
    }
    return {**message, "name": item.name} if _has_valid_name(item) else message


def _has_valid_name(item: Item) -> bool:
    has_own_name = item.name and not item.metadata.get("synthetic")
    return bool(has_own_name and _NAME.fullmatch(item.name or ""))


def raw_message(item: Item) -> Message | None:
    """The original message, if it came in this format and the API accepts it."""
    raw_fields = raw_payload(item, FORMAT)
    if not isinstance(raw_fields, Mapping):
        return None
    sent_fields = {key: value for key, value in raw_fields.items() if key in MESSAGE_KEYS}
    message_fields = without_call_fields(sent_fields)
    return message_fields if schemas.is_chat_message(message_fields) else None


def _to_tool_call(tool_call: dict[str, Json]) -> Message:
    function_fields = {
        "name": tool_name(tool_call.get("name")),
        "arguments": format_arguments(tool_call.get("args")),
    }
    return {"id": tool_call.get("id"), "type": "function", "function": function_fields}


def _to_content(content: str | list[Block], role: str) -> str | list[Message]:
    if isinstance(content, str):
        return content
    if role != "user":
        block_to_text = spoken_text if role == "assistant" else describe
        content_parts = [
            {"type": "text", "text": text} for text in map(block_to_text, content) if text
        ]
    else:
        content_parts = [part for block in content if (part := _to_part(block))]
    if len(content_parts) == 1 < len(content) and role == "assistant":
        return str(content_parts[0]["text"])  # reasoning before it is left out
    return content_parts or ""


def _to_part(block: Block) -> Message | None:
    match block["type"]:
        case "image" if block.get("url") or block.get("base64"):
            detail = block.get("extras", {}).get("detail")
            image_fields = {
                "url": data_url(block, "image/png"),
                **({"detail": detail} if detail else {}),
            }
            part = {"type": "image_url", "image_url": image_fields}
            if schemas.is_chat_message({"role": "user", "content": [part]}):
                return part
        case "audio" if block.get("base64") and block.get("mime_type") in _AUDIO_FORMATS:
            audio_fields = {"data": block["base64"], "format": _AUDIO_FORMATS[block["mime_type"]]}
            return {"type": "input_audio", "input_audio": audio_fields}
        case "file" if is_openai_file(block) or block.get("base64"):
            return {"type": "file", "file": _file(block)}
    description = describe(block)
    return {"type": "text", "text": description} if description else None


def _file(block: Block) -> Message:
    file_name = block.get("extras", {}).get("filename")
    source_fields = (
        {"file_id": block["file_id"]}
        if is_openai_file(block)
        else {"file_data": data_url(block, "application/pdf")}
    )
    return {**source_fields, **({"filename": file_name} if file_name else {})}
