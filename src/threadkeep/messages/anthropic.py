"""Anthropic Messages: content blocks to items and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.messages import schemas
from threadkeep.messages.content import (
    Block,
    blocks,
    content,
    describe,
    kinds,
    plain,
)
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    contributions,
    in_utf8,
    role_of,
    sendable,
    tool_name,
    verbatim,
)
from threadkeep.types import Item, Json

FORMAT: Final = "anthropic/1"
Message = dict[str, Any]

_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PARTS: Final = frozenset(
    {"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"}
)
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SYSTEM: Final = frozenset({"system", "developer"})
_EXTRAS: Final = ("cache_control", "citations")


class AnthropicMessages(list[Message]):
    """The `messages` of a Messages request, with `system` beside them, where that API wants it."""

    def __init__(self, messages: Iterable[Message], system: str) -> None:
        super().__init__(messages)
        self.system = system


def to_anthropic(items: Sequence[Item]) -> AnthropicMessages:
    """The `messages` of a Messages request, and its `system` text as an attribute.

    Thinking without a signature is left out; media the API does not take are named.
    """
    parts = contributions(items, ids=_CALL_ID)
    system = [plain(head.content) for part in parts for head in part.heads if _is_system(head)]
    merged: list[Message] = []
    for part in parts:
        for message in _messages(part):
            _append(merged, message)
    if items and (not merged or merged[0]["role"] != "user"):
        merged.insert(0, {"role": "user", "content": OMITTED})
    messages = sendable(_tidy(merged))
    return AnthropicMessages(messages, in_utf8("\n\n".join(s for s in system if s.strip())))


def is_message(data: Mapping[str, Any]) -> bool:
    """Whether it is a message in the shape of this API, and could not be one of another."""
    parts = data.get("content")
    if not isinstance(parts, list) or "role" not in data:
        return False
    if data.get("type") == "message" and "stop_reason" in data:
        return True
    return bool(kinds(parts) & _PARTS) or any(
        isinstance(part, Mapping) and isinstance(part.get("source"), Mapping) for part in parts
    )


def split(message: Mapping[str, Any], where: str) -> list[tuple[dict[str, Any], Message]]:
    """Each tool result apart, then the rest as one: neutral fields, and what to keep verbatim."""
    found: list[tuple[dict[str, Any], Message]] = []
    rest: list[Any] = []
    for number, part in enumerate(message["content"]):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "tool_result":
            at = f"{where}.content[{number}]"
            found.append((_result_fields(part, at), {"role": "user", "content": [part]}))
        else:
            rest.append(part)
    if rest or not found:
        found.append((_fields(rest, message["role"], where), {**message, "content": rest}))
    return found


def _fields(parts: list[Any], role: str, where: str) -> dict[str, Any]:
    asked = [part for part in parts if isinstance(part, Mapping) and part.get("type") == "tool_use"]
    words = content([part for part in parts if part not in asked], where)
    return {"role": role, "content": words or "", "tool_calls": [_call(part) for part in asked]}


def _call(part: Mapping[str, Any]) -> dict[str, Json]:
    return {"id": part.get("id"), "name": part.get("name"), "args": part.get("input", {})}


def wire(item: Item) -> Message:
    """One item as a message on its own."""
    if item.raw is not None and (kept := _verbatim(item)):
        return kept
    if item.role in {"tool", "function"}:
        return {"role": "user", "content": [_result(item)]}
    role = role_of(item)
    role = "user" if role in _SYSTEM else role
    if isinstance(item.content, str) and not item.tool_calls:
        return {"role": role, "content": item.content}
    return {"role": role, "content": _blocks(item, role)}


def _verbatim(item: Item) -> Message | None:
    kept = verbatim(item, FORMAT)
    if not isinstance(kept, Mapping):
        return None
    message = {key: kept[key] for key in ("role", "content") if key in kept}
    return message if schemas.anthropic(message) else None


def _messages(part: Contribution) -> list[Message]:
    heads = [wire(head) for head in part.heads if not _is_system(head)]
    results = [block for result in part.results for block in wire(result)["content"]]
    return [*heads, *([{"role": "user", "content": results}] if results else [])]


def _append(merged: list[Message], message: Message) -> None:
    words = message["content"]
    if not isinstance(words, str):
        words = [part for part in words if _sendable(part)]
    if not words or (isinstance(words, str) and not words.strip()):
        return
    if merged and merged[-1]["role"] == message["role"]:
        merged[-1]["content"] = [*_listed(merged[-1]["content"]), *_listed(words)]
    else:
        merged.append({"role": message["role"], "content": words})


def _listed(words: str | list[Message]) -> list[Message]:
    return [_text(words)] if isinstance(words, str) else words


def _sendable(part: Message) -> bool:
    return part.get("type") != "text" or bool(part["text"].strip())


def _tidy(merged: list[Message]) -> list[Message]:
    """The messages with such ends as the API takes: no thoughts, and no blank as the last word."""
    kept = [ended for message in merged if (ended := _ended(message))["content"]]
    if kept and kept[-1]["role"] == "assistant":
        kept[-1] = {"role": "assistant", "content": _trimmed(kept[-1]["content"])}
    return kept


def _ended(message: Message) -> Message:
    words = message["content"]
    while isinstance(words, list) and words and words[-1].get("type") == "thinking":
        words = words[:-1]
    return {**message, "content": words}


def _trimmed(words: str | list[Message]) -> str | list[Message]:
    if isinstance(words, str):
        return words.rstrip()
    if words[-1].get("type") != "text":
        return words
    return [*words[:-1], {**words[-1], "text": words[-1]["text"].rstrip()}]


def _blocks(item: Item, role: str) -> list[Message]:
    parts = [part for block in blocks(item.content) if (part := _part(block, role))]
    return [*parts, *(_use(call) for call in item.tool_calls)]


def _use(call: dict[str, Json]) -> Message:
    given = call.get("args")
    given = given if isinstance(given, dict) else {"input": given}
    name = tool_name(call.get("name"))
    return {"type": "tool_use", "id": call.get("id"), "name": name, "input": given}


def _result(item: Item) -> Message:
    words: Any = item.content
    if not isinstance(words, str):
        words = [part for block in words if (part := _part(block, "user"))]
    result = {"type": "tool_result", "tool_use_id": item.tool_call_id, "content": words}
    return {**result, "is_error": True} if item.status == "error" else result


def _result_fields(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "role": "tool",
        "tool_call_id": part.get("tool_use_id"),
        "content": content(part.get("content"), where),
        "tool_calls": [],
        "status": "error" if part.get("is_error") else None,
    }


def _part(block: Block, role: str) -> Message | None:
    extras = block.get("extras") or {}
    match block["type"]:
        case "text" if any(extras.get(key) for key in _EXTRAS):
            known = {key: extras[key] for key in _EXTRAS if extras.get(key)}
            return {**_text(block["text"]), **known}
        case "reasoning" if role == "assistant" and extras.get("redacted"):
            return {"type": "redacted_thinking", "data": extras["redacted"]}
        case "reasoning" if role == "assistant" and extras.get("signature"):
            thought = {"thinking": block["reasoning"], "signature": extras["signature"]}
            return {"type": "thinking", **thought}
        case "image" | "file" if role == "user" and (source := _source(block)):
            return _media(block, source)
        case "opaque" if schemas.anthropic_block(block.get("value"), role):
            return dict(block["value"])
    said = describe(block)
    return _text(said) if said.strip() else None


def _media(block: Block, source: Message) -> Message:
    extras = block.get("extras") or {}
    kind = "image" if block["type"] == "image" else "document"
    cache = {"cache_control": extras["cache_control"]} if extras.get("cache_control") else {}
    title = {"title": extras["filename"]} if extras.get("filename") else {}
    return {"type": kind, "source": source, **(title if kind == "document" else {}), **cache}


def _source(block: Block) -> Message | None:
    accepted = _IMAGES if block["type"] == "image" else {"application/pdf"}
    if block.get("base64") and block.get("mime_type") in accepted:
        kind = {"type": "base64", "media_type": block["mime_type"]}
        return {**kind, "data": block["base64"]}
    if schemas.link(block.get("url")):
        return {"type": "url", "url": block["url"]}
    if str(block.get("file_id") or "").startswith("file_"):
        return {"type": "file", "file_id": block["file_id"]}
    return None


def _text(said: str) -> Message:
    return {"type": "text", "text": said}


def _is_system(item: Item) -> bool:
    return role_of(item) in _SYSTEM and item.role not in {"tool", "function"}
