"""The data export of ChatGPT, `conversations.json`: trees of nodes, of which one path is the chat.

The format is not documented by its maker; this follows what exports of 2023 to 2026 hold. Left out
are nodes that ChatGPT itself hides or that hold no text (most system nodes), and the thoughts of
the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from examples.readers.entries import (
    Conversation,
    Entry,
    Message,
    conversation,
    expect,
    malformed,
    text_or_none,
)

_ROLES = frozenset({"system", "user", "assistant", "tool"})
_INNER = frozenset(
    {"thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"}
)
_Node = Mapping[str, Any]


def recognises(value: object) -> bool:
    """True for an object with a `mapping` of nodes."""
    return isinstance(value, dict) and isinstance(value.get("mapping"), dict)


def conversations(entries: list[Entry]) -> Iterator[Conversation]:
    """One conversation per entry: the path that ends in its `current_node`."""
    for entry in entries:
        about = expect(entry.value, dict, entry.at)
        nodes = expect(about.get("mapping"), dict, f"{entry.at}.mapping")
        path = _path(nodes, about.get("current_node"), entry.at)
        yield conversation(
            entry,
            _messages(path),
            id=str(about.get("conversation_id") or about.get("id") or entry.id),
            title=text_or_none(about.get("title"), f"{entry.at}.title"),
        )


def _path(nodes: Mapping[str, Any], last: object, at: str) -> list[tuple[str, _Node]]:
    """The nodes from the root to `last` (without one: to the newest leaf), each with its place."""
    current = _newest_leaf(nodes) if last is None else last
    path: dict[str, _Node] = {}
    while current is not None:
        if not isinstance(current, str) or current not in nodes:
            malformed(f"{at}.mapping", f"has no node {current!r}, which is in the current path")
        if current in path:
            malformed(f"{at}.mapping", f"node {current!r} is its own ancestor")
        path[current] = expect(nodes[current], dict, f"{at}.mapping[{current!r}]")
        current = path[current].get("parent")
    return [(f"{at}.mapping[{key!r}]", node) for key, node in reversed(path.items())]


def _newest_leaf(nodes: Mapping[str, Any]) -> str | None:
    leaves = [key for key, node in nodes.items() if isinstance(node, dict) and _is_leaf(node)]
    return max(leaves, key=lambda key: nodes[key]["message"].get("create_time") or 0, default=None)


def _is_leaf(node: _Node) -> bool:
    return not node.get("children") and isinstance(node.get("message"), dict)


def _messages(path: Iterable[tuple[str, _Node]]) -> Iterator[Message]:
    """The messages of a path. A tool's nodes after a call are together that call's one result."""
    call = result = None
    for at, node in path:
        message = _message(at, node.get("message"), call)
        if message is None:
            continue
        if message["role"] == "tool" and result is not None:
            result["content"] += f"\n\n{message['content']}" if message["content"] else ""
            continue
        if result is not None:
            yield result
        call = message["id"] if "tool_calls" in message else None
        result = message if message["role"] == "tool" else None
        if result is None:
            yield message
    if result is not None:
        yield result


def _message(at: str, payload: object, call: str | None) -> Message | None:
    """The message of a node, or nothing; `call` is the id of a call that waits for its result."""
    if payload is None:
        return None
    data = expect(payload, dict, f"{at}.message")
    role = expect(data.get("author"), dict, f"{at}.message.author").get("role")
    if role not in _ROLES:
        malformed(f"{at}.message.author.role", f"{role!r} is none of {', '.join(sorted(_ROLES))}")
    content = expect(data.get("content"), dict, f"{at}.message.content")
    about = expect(data.get("metadata") or {}, dict, f"{at}.message.metadata")
    text = _text(content)
    answers = role == "tool" and call is not None
    if about.get("is_visually_hidden_from_conversation") or not (text.strip() or answers):
        return None
    message: Message = {"role": role, "content": text, "id": expect(data.get("id"), str, at)}
    message |= _details(at, data, about, content)
    if role == "tool":
        return message | _result(data, call or message["id"])
    recipient = text_or_none(data.get("recipient"), f"{at}.message.recipient") or "all"
    return message if role != "assistant" or recipient == "all" else _call(message, recipient)


def _text(content: Mapping[str, Any]) -> str:
    if content.get("content_type") in _INNER:
        return ""
    if isinstance(parts := content.get("parts"), list):
        return "\n".join(filter(None, map(_part, parts)))
    texts = (content.get(key) for key in ("text", "result", "content"))
    return next((text for text in texts if isinstance(text, str) and text), "")


def _part(part: object) -> str:
    if isinstance(part, dict) and part.get("content_type") == "image_asset_pointer":
        return "[image]"
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""


def _details(at: str, data: _Node, about: _Node, content: _Node) -> Message:
    """When it was said, and as metadata by which model and with which files."""
    details: Message = {}
    if (said_at := data.get("create_time")) is not None:
        if not isinstance(said_at, (int, float)):
            malformed(f"{at}.message.create_time", "must be a number of seconds")
        details["created_at"] = said_at
    parts = [part for part in content.get("parts") or () if isinstance(part, dict)]
    known = {
        "model": about.get("model_slug"),
        "attachments": about.get("attachments"),
        "assets": [part["asset_pointer"] for part in parts if part.get("asset_pointer")],
    }
    if metadata := {key: value for key, value in known.items() if value}:
        details["metadata"] = metadata
    return details


def _result(data: _Node, call: str) -> Message:
    name = data["author"].get("name")
    return {"tool_call_id": call, **({"name": _tool_name(name)} if name else {})}


def _call(message: Message, recipient: str) -> Message:
    """A text for a tool is a call: its arguments as JSON, or the text as the one argument."""
    try:
        args = json.loads(message["content"])
    except ValueError:
        args = None
    payload = args if isinstance(args, dict) else {"input": message["content"]}
    call = {"id": message["id"], "name": _tool_name(recipient), "args": payload}
    return {**message, "content": "", "tool_calls": [call]}


def _tool_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64]
