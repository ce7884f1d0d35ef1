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
    by_type,
    list_of,
    mapping,
    matching,
    nonempty,
    nullable,
    shape,
    text,
    text_or_parts,
)
from threadkeep.messages.schemas.vocabulary import is_new

_participant_name = matching(r"[^\s<|\\/>]{1,64}")
_tool_name = matching("[a-zA-Z0-9_-]{1,64}")
_call_id = matching(".{1,40}")
_function = shape({"name": _tool_name, "arguments": text})
_custom_tool = shape({"name": _tool_name, "input": text})
_calls = list_of(
    by_type(
        {
            "function": shape({"id": _call_id, "function": _function}),
            "custom": shape({"id": _call_id, "custom": _custom_tool}),
        }
    ),
    min_length=1,
)
_audio = shape({"data": nonempty, "format": matching("wav|mp3")})
_file = shape({}, dict.fromkeys(("file_data", "file_id", "filename"), text))
_text_part = shape({"text": text})
_USER_PARTS: Final = by_type(
    {
        "text": _text_part,
        "image_url": shape({"image_url": shape({"url": DATA_LINK}, {"detail": DETAIL})}),
        "input_audio": shape({"input_audio": _audio}),
        "file": shape(
            {"file": lambda file: _file(file) and any(file.get(key) for key in FILE_KEYS)}
        ),
        "video_url": mapping,
    },
    is_new,
)
_text_parts = by_type({"text": _text_part}, is_new)
_assistant_parts = by_type({"text": _text_part, "refusal": shape({"refusal": text})}, is_new)
_ASSISTANT_FIELDS: Final = {
    "name": _participant_name,
    "content": nullable(text_or_parts(_assistant_parts)),
    "tool_calls": _calls,
    "function_call": nullable(_function),
    "refusal": nullable(text),
    "audio": nullable(shape({"id": text}, extra=True)),
    "annotations": nullable(list_of(anything)),
}
_system_message = shape(
    {"role": text, "content": text_or_parts(_text_parts)}, {"name": _participant_name}
)
_ROLE_SHAPES: Final[Mapping[str, Check]] = {
    "system": _system_message,
    "developer": _system_message,
    "user": shape(
        {"role": text, "content": text_or_parts(_USER_PARTS)}, {"name": _participant_name}
    ),
    "assistant": shape({"role": text}, _ASSISTANT_FIELDS),
    "tool": shape(
        {"role": text, "content": text_or_parts(_text_parts), "tool_call_id": _call_id},
        {"name": _participant_name},
    ),
    "function": shape({"role": text, "content": nullable(text), "name": _tool_name}),
}


def has_only_openai_parts(message: Mapping[str, Any]) -> bool:
    """Return True if OpenAI itself knows the types of all parts, as other servers know more."""
    raw_content = message.get("content")
    parts = raw_content if isinstance(raw_content, list) else ()
    return not any(part["type"] == "video_url" or is_new(part) for part in parts)


def is_chat_message(message: Any) -> bool:
    """A message of Chat Completions; parts of new types are their server's to judge."""
    role = message.get("role") if isinstance(message, Mapping) else None
    if not isinstance(role, str) or role not in _ROLE_SHAPES or not _ROLE_SHAPES[role](message):
        return False
    if message.get("content") is not None or role != "assistant":
        return True
    return any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
