"""Messages of Chat Completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.messages.schemas.predicates import (
    DATA_LINK,
    DETAIL,
    FILE_KEYS,
    Check,
    anything,
    kinds,
    listed,
    match,
    maybe,
    shape,
    some,
    text,
    words,
)

_name = match(r"[^\s<|\\/>]{1,64}")
_tool = match("[a-zA-Z0-9_-]{1,64}")
_chat_id = match(".{1,40}")
_function = shape({"name": _tool, "arguments": text})
_custom = shape({"name": _tool, "input": text})
_calls = listed(
    kinds(
        {
            "function": shape({"id": _chat_id, "function": _function}),
            "custom": shape({"id": _chat_id, "custom": _custom}),
        }
    ),
    least=1,
)
_sound = shape({"data": some, "format": match("wav|mp3")})
_chat_file = shape({}, dict.fromkeys(("file_data", "file_id", "filename"), text))
_chat_text = shape({"text": text})
_PARTS: Final = kinds(
    {
        "text": _chat_text,
        "image_url": shape({"image_url": shape({"url": DATA_LINK}, {"detail": DETAIL})}),
        "input_audio": shape({"input_audio": _sound}),
        "file": shape(
            {"file": lambda file: _chat_file(file) and any(file.get(key) for key in FILE_KEYS)}
        ),
    }
)
_text_parts = kinds({"text": _chat_text})
_said = kinds({"text": _chat_text, "refusal": shape({"refusal": text})})
_ASSISTANT: Final = {
    "name": _name,
    "content": maybe(words(_said)),
    "tool_calls": _calls,
    "function_call": maybe(_function),
    "refusal": maybe(text),
    "audio": maybe(shape({"id": text}, extra=True)),
    "annotations": maybe(listed(anything)),
}
_instructing = shape({"role": text, "content": words(_text_parts)}, {"name": _name})
_CHAT: Final[Mapping[str, Check]] = {
    "system": _instructing,
    "developer": _instructing,
    "user": shape({"role": text, "content": words(_PARTS)}, {"name": _name}),
    "assistant": shape({"role": text}, _ASSISTANT),
    "tool": shape(
        {"role": text, "content": words(_text_parts), "tool_call_id": _chat_id}, {"name": _name}
    ),
    "function": shape({"role": text, "content": maybe(text), "name": _tool}),
}


def chat(message: Any) -> bool:
    """A message of Chat Completions."""
    role = message.get("role") if isinstance(message, Mapping) else None
    if not isinstance(role, str) or role not in _CHAT or not _CHAT[role](message):
        return False
    if message.get("content") is not None or role != "assistant":
        return True
    return any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
