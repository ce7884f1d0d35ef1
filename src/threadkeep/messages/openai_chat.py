"""OpenAI Chat Completions: messages to items and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.messages import schemas
from threadkeep.messages.content import (
    Block,
    content,
    data_url,
    describe,
    openai_file,
)
from threadkeep.messages.tool_pairs import role_of, tool_name, verbatim
from threadkeep.types import Item, Json

FORMAT: Final = "openai-chat/1"
Message = dict[str, Any]

KEYS: Final = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call",
     "annotations"}
)  # fmt: skip
_NAME: Final = re.compile(r"[^\s<|\\/>]{1,64}")
RESULTS: Final = frozenset({"tool", "function"})
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FORMATS: Final = {"audio/wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}


def wire(item: Item) -> Message | None:
    """One item as a message on its own, or `None` if the API has no place for it."""
    if item.raw is not None and (said := kept(item)):
        return said
    if item.role in RESULTS:
        return _result(item)
    if item.type == "reasoning" and not item.tool_calls:
        return None
    role = role_of(item)
    message: Message = {"role": role, "content": _content(item.content, role)}
    if item.name and item.type == "message" and _NAME.fullmatch(item.name):
        message["name"] = item.name
    if item.tool_calls:
        message["content"] = message["content"] or None
        message["tool_calls"] = [_call(call) for call in item.tool_calls]
    return message


def calls(message: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The neutral tool calls of a message, or of a list in either shape."""
    found = [neutral_call(call) for call in message.get("tool_calls") or []]
    if isinstance(legacy := message.get("function_call"), Mapping):
        found.append({"id": "", "name": legacy.get("name"), "args": args(legacy.get("arguments"))})
    return found


def neutral_call(call: Mapping[str, Any]) -> dict[str, Json]:
    """`{"id", "name", "args"}` from OpenAI's shape, a custom tool's, or the neutral one."""
    inner = call.get("function") or call.get("custom") or call
    given: Any = next((inner[key] for key in ("arguments", "input", "args") if key in inner), {})
    return {"id": call.get("id") or "", "name": inner.get("name"), "args": args(given)}


def args(text: Any) -> Json:
    """Arguments as a dict where the text is a JSON object, else as they are."""
    if not isinstance(text, str):
        return {} if text is None else text
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, dict) else text


def arguments(value: Json) -> str:
    """Arguments as the JSON text that OpenAI's APIs want."""
    if isinstance(value, str):
        return value
    return _encode(value)


def read_content(message: Mapping[str, Any], where: str) -> str | list[Block]:
    """Content with what stands beside it: a refusal, reasoning of compatible servers, speech."""
    found = content(message.get("content"), where)
    extra: list[Block] = []
    if isinstance(thought := message.get("reasoning_content"), str) and thought:
        extra.append({"type": "reasoning", "reasoning": thought})
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        extra.append({"type": "text", "text": refusal, "extras": {"refusal": True}})
    audio = message.get("audio")
    if isinstance(audio, Mapping) and isinstance(audio.get("transcript"), str):
        extra.append({"type": "text", "text": audio["transcript"]})
    if not extra:
        return found
    words = [{"type": "text", "text": found}] if isinstance(found, str) else found
    return [*extra, *(block for block in words if block.get("text") != "")]


def _result(item: Item) -> Message:
    message: Message = {
        "role": "tool",
        "tool_call_id": item.tool_call_id or "",
        "content": _content(item.content, "tool"),
    }
    return {**message, "name": item.name} if _is_named(item) else message


def _is_named(item: Item) -> bool:
    said = item.name and not item.metadata.get("synthetic")
    return bool(said and _NAME.fullmatch(item.name or ""))


def kept(item: Item) -> Message | None:
    """The message as it came, if it came in this format and is one that the API takes."""
    came = verbatim(item, FORMAT)
    if not isinstance(came, Mapping):
        return None
    message = {key: value for key, value in came.items() if key in KEYS}
    return message if schemas.chat(message) else None


def _call(call: dict[str, Json]) -> Message:
    function = {"name": tool_name(call.get("name")), "arguments": arguments(call.get("args"))}
    return {"id": call.get("id"), "type": "function", "function": function}


def _content(words: str | list[Block], role: str) -> str | list[Message]:
    if isinstance(words, str):
        return words
    if role != "user":
        parts = [{"type": "text", "text": said} for said in map(describe, words) if said]
    else:
        parts = [part for block in words if (part := _part(block))]
    if len(parts) == 1 < len(words) and role == "assistant":
        return str(parts[0]["text"])  # what was thought before is left out
    return parts or ""


def _part(block: Block) -> Message | None:
    match block["type"]:
        case "image" if block.get("url") or block.get("base64"):
            detail = block.get("extras", {}).get("detail")
            image = {"url": data_url(block, "image/png"), **({"detail": detail} if detail else {})}
            part = {"type": "image_url", "image_url": image}
            if schemas.chat({"role": "user", "content": [part]}):
                return part
        case "audio" if block.get("base64") and block.get("mime_type") in _FORMATS:
            sound = {"data": block["base64"], "format": _FORMATS[block["mime_type"]]}
            return {"type": "input_audio", "input_audio": sound}
        case "file" if openai_file(block) or block.get("base64"):
            return {"type": "file", "file": _file(block)}
    said = describe(block)
    return {"type": "text", "text": said} if said else None


def _file(block: Block) -> Message:
    name = block.get("extras", {}).get("filename")
    source = (
        {"file_id": block["file_id"]}
        if openai_file(block)
        else {"file_data": data_url(block, "application/pdf")}
    )
    return {**source, **({"filename": name} if name else {})}
