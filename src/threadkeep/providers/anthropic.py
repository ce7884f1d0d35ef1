"""Anthropic Messages: content blocks to items and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.providers.blocks import Block, content, describe, plain
from threadkeep.providers.pairing import Contribution, contributions, tool_name
from threadkeep.types import Item, Json

FORMAT: Final = "anthropic/1"
OMITTED: Final = "(earlier conversation omitted)"
"""The user message put first where a window begins with the model: the API wants one there."""

Message = dict[str, Any]
_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PARTS: Final = frozenset(
    {"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"}
)


class AnthropicMessages(list[Message]):
    """The `messages` of a Messages request, with `system` beside them, where that API wants it."""

    def __init__(self, messages: Iterable[Message], system: str) -> None:
        super().__init__(messages)
        self.system = system


def to_anthropic(items: Sequence[Item]) -> AnthropicMessages:
    """The `messages` of a Messages request, and its `system` text as an attribute.

    Thinking without a signature is left out; media the API does not take are named.
    """
    parts = contributions(items)
    system = [plain(head.content) for part in parts for head in part.heads if _is_system(head)]
    merged: list[Message] = []
    for part in parts:
        for message in _messages(part):
            _append(merged, message)
    if not merged or merged[0]["role"] != "user":
        merged.insert(0, {"role": "user", "content": [_text(OMITTED)]})
    return AnthropicMessages(_tidy(merged), "\n\n".join(said for said in system if said.strip()))


def is_parts(parts: object) -> bool:
    """Whether a list of content holds blocks that only this API knows."""
    return isinstance(parts, list) and any(
        isinstance(part, Mapping)
        and (part.get("type") in _PARTS or isinstance(part.get("source"), Mapping))
        for part in parts
    )


def split(message: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The neutral fields of one message: each tool result apart, then the rest as one."""
    found: list[dict[str, Any]] = []
    rest: list[Any] = []
    asked: list[dict[str, Json]] = []
    for part in message["content"]:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "tool_result":
            found.append(_result_fields(part, where))
        elif kind == "tool_use":
            asked.append({"id": part.get("id"), "name": part.get("name"), "args": part["input"]})
        else:
            rest.append(part)
    if rest or asked or not found:
        words = content(rest, where)
        found.append({"role": message["role"], "content": words or "", "tool_calls": asked})
    return found


def wire(item: Item) -> Message:
    """One item as a message on its own."""
    if item.role in {"tool", "function"}:
        return {"role": "user", "content": [_result(item)]}
    if item.raw is not None and item.raw.get("format") == FORMAT:
        return {"role": item.raw["data"]["role"], "content": item.raw["data"]["content"]}
    role = "assistant" if item.role in {"assistant", "ai", "model"} else "user"
    return {"role": role, "content": _blocks(item, role)}


def _messages(part: Contribution) -> list[Message]:
    heads = [wire(head) for head in part.heads if not _is_system(head)]
    results = [_result(result) for result in part.results]
    return [*heads, *([{"role": "user", "content": results}] if results else [])]


def _append(merged: list[Message], message: Message) -> None:
    parts = message["content"]
    parts = [_text(parts)] if isinstance(parts, str) else list(parts)
    parts = [part for part in parts if _sendable(part)]
    if not parts:
        return
    if merged and merged[-1]["role"] == message["role"]:
        merged[-1]["content"].extend(parts)
    else:
        merged.append({"role": message["role"], "content": parts})


def _sendable(part: Message) -> bool:
    match part.get("type"):
        case "text":
            return bool(part["text"].strip())
        case "thinking":
            return bool(part.get("signature"))
    return True


def _tidy(merged: list[Message]) -> list[Message]:
    last = merged[-1]
    if last["role"] == "assistant" and last["content"][-1].get("type") == "text":
        end = last["content"][-1]  # the API refuses a last word of the model that ends in a blank
        last["content"][-1] = {**end, "text": end["text"].rstrip()}
    return merged


def _blocks(item: Item, role: str) -> list[Message]:
    words: list[Block] = (
        [{"type": "text", "text": item.content}] if isinstance(item.content, str) else item.content
    )
    parts = [part for block in words if (part := _part(block, role))]
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
        "status": "error" if part.get("is_error") else None,
    }


def _part(block: Block, role: str) -> Message | None:
    extras = block.get("extras", {})
    match block["type"]:
        case "reasoning" if role == "assistant" and extras.get("redacted"):
            return {"type": "redacted_thinking", "data": extras["redacted"]}
        case "reasoning" if role == "assistant" and extras.get("signature"):
            thought = {"thinking": block["reasoning"], "signature": extras["signature"]}
            return {"type": "thinking", **thought}
        case "image" | "file" if role == "user" and (source := _source(block)):
            kind = "image" if block["type"] == "image" else "document"
            title = {"title": extras["filename"]} if extras.get("filename") else {}
            return {"type": kind, "source": source, **(title if kind == "document" else {})}
    said = describe(block)
    return _text(said) if said.strip() else None


def _source(block: Block) -> Message | None:
    accepted = _IMAGES if block["type"] == "image" else {"application/pdf"}
    if block.get("base64") and block.get("mime_type") in accepted:
        kind = {"type": "base64", "media_type": block["mime_type"]}
        return {**kind, "data": block["base64"]}
    if str(block.get("url") or "").startswith("http"):
        return {"type": "url", "url": block["url"]}
    return None


def _text(said: str) -> Message:
    return {"type": "text", "text": said}


def _is_system(item: Item) -> bool:
    return item.role in {"system", "developer"}
