"""Messages in the style of OpenAI Chat Completions: a list, an object, or one of these per line."""

from __future__ import annotations

import dataclasses
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

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TIMES = ("created_at", "create_time", "timestamp")
_TEXTS = ("id", "name", "tool_call_id")
_READ = {"role", "content", "tool_calls", "function_call", "refusal", "metadata", *_TIMES, *_TEXTS}


def recognises(value: object) -> bool:
    """True for a message, an object with `messages`, and a list of messages."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and "role" in value[0]
    return isinstance(value, dict) and ("role" in value or isinstance(value.get("messages"), list))


def conversations(entries: list[Entry]) -> Iterator[Conversation]:
    """Entries that are messages are one conversation together; other entries are one each."""
    if isinstance(entries[0].value, dict) and "role" in entries[0].value:
        placed = ((entry.at, entry.value) for entry in entries)
        yield conversation(dataclasses.replace(entries[0], number=0), _messages(placed))
        return
    for entry in entries:
        yield _conversation(entry)


def _conversation(entry: Entry) -> Conversation:
    at, about = entry.at, entry.value
    if isinstance(about, dict):
        at, listed = f"{at}.messages", about.get("messages")
    else:
        about, listed = {}, about
    placed = ((f"{at}[{number}]", value) for number, value in enumerate(expect(listed, list, at)))
    own_fields = about.get("conversation_id") or about.get("id")
    optional_fields: dict[str, Any] = {
        "id": None if own_fields is None else str(own_fields),
        "title": text_or_none(about.get("title"), f"{entry.at}.title"),
        "user": text_or_none(about.get("user"), f"{entry.at}.user"),
    }
    fields = {key: value for key, value in optional_fields.items() if value is not None}
    return conversation(entry, _messages(placed), **fields)


def _messages(placed: Iterable[tuple[str, object]]) -> Iterator[Message]:
    last_call = "call_0"  # outdated function calls have no id: each answer follows its call
    for number, (at, value) in enumerate(placed):
        fields = expect(value, dict, at)
        message = _message(at, fields)
        if fields.get("function_call"):
            last_call = f"call_{number}"
            message["tool_calls"] = [_as_tool_call(last_call, fields["function_call"], at)]
        elif message["role"] == "function":
            message |= {"role": "tool", "tool_call_id": last_call}
        yield message


def _message(at: str, fields: Mapping[str, Any]) -> Message:
    role = fields.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        malformed(f"{at}.role", f"must be one of {', '.join(sorted(_ROLES))}, is {role!r}")
    message: Message = {"role": role, "content": _content(at, fields)}
    for key in _TEXTS:
        if (text := text_or_none(fields.get(key), f"{at}.{key}")) is not None:
            message[key] = text
    if (said_at := _said_at(at, fields)) is not None:
        message["created_at"] = said_at
    if fields.get("tool_calls"):
        message["tool_calls"] = _tool_calls(f"{at}.tool_calls", fields["tool_calls"])
    return message | _metadata(at, fields)


def _content(at: str, fields: Mapping[str, Any]) -> str | list[Any] | None:
    content = fields.get("content")
    if content is None and isinstance(fields.get("refusal"), str):
        return str(fields["refusal"])
    if content is None and not (fields.get("tool_calls") or fields.get("function_call")):
        malformed(f"{at}.content", "is missing; only a message with tool calls may have none")
    if content is not None and not isinstance(content, (str, list)):
        malformed(f"{at}.content", f"must be a text or a list, is {type(content).__name__}")
    return content


def _said_at(at: str, fields: Mapping[str, Any]) -> float | str | None:
    for key in _TIMES:
        if (value := fields.get(key)) is not None:
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                malformed(f"{at}.{key}", "must be a time: epoch seconds, or ISO 8601")
            return value
    return None


def _tool_calls(at: str, calls: object) -> list[Any]:
    for number, call in enumerate(expect(calls, list, at)):
        named = expect(call, dict, f"{at}[{number}]")
        if not isinstance(named.get("function", named), dict):
            malformed(f"{at}[{number}].function", "must be an object")
        if not isinstance(named.get("function", named).get("name"), str):
            malformed(f"{at}[{number}]", "has no name of a tool")
    return list(expect(calls, list, at))


def _as_tool_call(call_id: str, function: object, at: str) -> Message:
    expect(function, dict, f"{at}.function_call")
    return {"id": call_id, "type": "function", "function": function}


def _metadata(at: str, fields: Mapping[str, Any]) -> Message:
    """What the file says besides, under `metadata`."""
    own_fields = expect(fields.get("metadata") or {}, dict, f"{at}.metadata")
    rest = {key: value for key, value in fields.items() if key not in _READ and value is not None}
    return {"metadata": {**rest, **own_fields}} if rest or own_fields else {}
