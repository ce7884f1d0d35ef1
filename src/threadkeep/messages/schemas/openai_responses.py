"""Items of a Responses input. Unknown types pass, since the list grows often."""

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

_call_id = matching(".{1,64}")
_CALL_FIELDS = {"call_id": _call_id, "name": matching("[a-zA-Z0-9_-]{1,128}")}
_status = nullable(matching("in_progress|completed|incomplete"))
_COMMON_FIELDS = {**dict.fromkeys(("async", "caller", "namespace"), anything), "status": _status}
_image = shape(
    {},
    {"image_url": nullable(DATA_LINK), "file_id": nullable(text), "detail": nullable(DETAIL)},
)
_input_file = shape({}, dict.fromkeys((*FILE_KEYS, "filename", "detail"), nullable(text)))
_input_part = by_type(
    {
        "input_text": shape({"text": text}),
        "input_image": lambda part: (
            _image(part) and bool(part.get("image_url") or part.get("file_id"))
        ),
        "input_file": lambda part: _input_file(part) and any(part.get(key) for key in FILE_KEYS),
    },
    is_new,
)
_output_part = by_type(
    {
        "output_text": shape(
            {"text": text}, {"annotations": list_of(anything), "logprobs": anything}
        ),
        "refusal": shape({"refusal": text}),
    },
    is_new,
)
_MESSAGE_FIELDS: Final = {
    "id": matching("msg.{0,61}"),
    "status": matching("in_progress|completed|incomplete"),
    "phase": anything,
}
_input_message = shape({"role": text, "content": text_or_parts(_input_part)}, _MESSAGE_FIELDS)
_output_message = shape(
    {"role": text, "content": text_or_parts(_output_part, min_length=0)}, _MESSAGE_FIELDS
)
_ROLE_SHAPES: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("user", "system", "developer"), _input_message),
    "assistant": _output_message,
}
_reasoning_texts = list_of(shape({"text": text}))


def _hosted(*keys: str, **typed: Check) -> Check:
    """The schema of an item the service wrote: only required keys are checked."""
    return shape({**dict.fromkeys(keys, anything), **typed}, extra=True)


_ITEM_SHAPES: Final[Mapping[str, Check]] = {
    "reasoning": shape(
        {"summary": _reasoning_texts},
        {
            "id": matching("rs.{0,62}"),
            "content": nullable(_reasoning_texts),
            "encrypted_content": nullable(text),
            "status": _status,
        },
    ),
    "function_call": shape(
        {**_CALL_FIELDS, "arguments": text}, {**_COMMON_FIELDS, "id": matching("fc.{0,62}")}
    ),
    "custom_tool_call": shape({**_CALL_FIELDS, "input": text}, {**_COMMON_FIELDS, "id": nonempty}),
    **dict.fromkeys(
        ("function_call_output", "custom_tool_call_output"),
        shape(
            {"call_id": _call_id, "output": text_or_parts(_input_part)},
            {**_COMMON_FIELDS, "id": nullable(nonempty), "name": anything},
        ),
    ),
    "item_reference": _hosted(id=nonempty),
    "web_search_call": _hosted("action", "status", id=nonempty),
    "file_search_call": _hosted("status", id=nonempty, queries=list_of(anything)),
    "code_interpreter_call": _hosted("code", "container_id", "outputs", "status", id=nonempty),
    "image_generation_call": _hosted("result", "status", id=nonempty),
    "mcp_call": _hosted(id=nonempty, arguments=text, name=text, server_label=text),
    "mcp_list_tools": _hosted(id=nonempty, server_label=text, tools=list_of(anything)),
    "mcp_approval_request": _hosted(id=nonempty, arguments=text, name=text, server_label=text),
    "mcp_approval_response": _hosted(
        approval_request_id=text, approve=lambda value: isinstance(value, bool)
    ),
    "computer_call": _hosted("pending_safety_checks", "status", id=nonempty, call_id=_call_id),
    "computer_call_output": _hosted(call_id=_call_id, output=mapping),
    "local_shell_call": _hosted("status", id=nonempty, call_id=_call_id, action=mapping),
    "local_shell_call_output": _hosted(id=nonempty, output=text),
    "shell_call": _hosted(call_id=_call_id, action=mapping),
    "shell_call_output": _hosted(call_id=_call_id, output=list_of(anything)),
    "apply_patch_call": _hosted("status", call_id=_call_id, operation=mapping),
    "apply_patch_call_output": _hosted("status", call_id=_call_id),
    "compaction": _hosted(encrypted_content=text),
    **dict.fromkeys(
        (
            "additional_tools", "compaction_trigger", "configuration_update", "program",
            "program_output", "tool_search_call", "tool_search_output",
        ),
        anything,
    ),
}  # fmt: skip
ITEM_TYPES: Final = frozenset({"message", *_ITEM_SHAPES})
"""The types of items that are known; others exist as well."""


def is_responses_item(entry: Any) -> bool:
    """An item of a Responses input."""
    entry_type = entry.get("type") if isinstance(entry, Mapping) else None
    if entry_type == "message":
        role = entry.get("role")
        return isinstance(role, str) and role in _ROLE_SHAPES and _ROLE_SHAPES[role](entry)
    if entry_type == "reasoning" and not (entry.get("id") or entry.get("encrypted_content")):
        return False
    return isinstance(entry_type, str) and _ITEM_SHAPES.get(entry_type, anything)(entry)
